"""Old names of `read` and `build`, until the last caller has moved."""

from terrarium.hyperbolic.data.build import CUT as CUT
from terrarium.hyperbolic.data.build import build_taxonomy as build
from terrarium.hyperbolic.data.build import check_ranks, closure_table, edge_table
from terrarium.hyperbolic.data.build import hierarchy_of as tree_of
from terrarium.hyperbolic.data.build import root_distance as way_of
from terrarium.hyperbolic.data.read import read_source as read

__all__ = ["build", "check_ranks", "closure_table", "edge_table", "read", "tree_of", "way_of"]
