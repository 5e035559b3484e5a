"""Typed links from the nodes of a hierarchy to hosts, traits or annotations, learned in the same space."""
