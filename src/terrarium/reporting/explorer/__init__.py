"""An interactive picture of points: a Poincaré disk or a map, on a page of its own or inside a report."""

from terrarium.reporting.explorer.points import PointMap

__all__ = ["PointMap"]
