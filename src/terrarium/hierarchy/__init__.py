"""Rooted hierarchies: the data structure behind depths, closure, sampling and evaluation."""

from terrarium.hierarchy.tree import Hierarchy, HierarchyError

__all__ = ["Hierarchy", "HierarchyError"]
