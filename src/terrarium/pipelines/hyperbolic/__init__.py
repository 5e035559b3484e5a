"""Embeddings of a hierarchy in the Poincaré ball."""
