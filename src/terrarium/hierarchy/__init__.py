"""The one tree object that depths, closure, sampling and evaluation share."""

from terrarium.hierarchy.tree import Hierarchy, HierarchyError

__all__ = ["Hierarchy", "HierarchyError"]
