"""Draw the four constructed layouts of a small tree in docs/images/layouts.svg: python -m scripts.layout_figure."""

from pathlib import Path

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout, to_ball
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.layouts.cones import cone_layout
from terrarium.hyperbolic.layouts.rays import ray_layout

PATH = Path(__file__).parents[1] / "docs" / "images" / "layouts.svg"
SIZE, HALF, RADIUS = 320, 150.0, 6.0
COLOURS = ("#222222", "#0072b2", "#d55e00", "#009e73", "#cc79a7")


def example_tree() -> Hierarchy:
    """Return a tree with a crowded node, a chain and binary splits."""
    parent = [-1, 0, 0, 0, *[1] * 9, 2, 13, 14, 3, 3, 16, 16, 17, 17]
    return Hierarchy.from_parents(np.arange(len(parent)), np.array(parent))


def disk(tree: Hierarchy, layout: Layout) -> list[str]:
    """Return the SVG shapes of a layout in the Poincaré disk; edges are drawn as straight lines."""
    points = HALF * to_ball(layout)
    shapes = [f'<circle r="{HALF}" fill="none" stroke="#999"/>']
    for row in range(1, len(tree)):
        shapes.append(_line(points[row], points[tree.parent[row]]))
    return shapes + [_dot(points[row], int(tree.depth[row])) for row in range(len(tree))]


def rims(tree: Hierarchy, layout: Layout, half_angles: Float64Array) -> list[str]:
    """Return the SVG shapes of caps on the near half of the sphere of directions, seen from the first node.

    Args:
        tree: N nodes.
        layout: their points.
        half_angles: (N,) half angles of the caps.
    """
    towards = layout.direction[1]
    axes = np.linalg.svd(towards[None])[2][1:]
    shapes = [f'<circle r="{HALF}" fill="none" stroke="#999"/>']
    for row in range(1, len(tree)):
        centre, half_angle = layout.direction[row], half_angles[row]
        first, second = np.linalg.svd(centre[None])[2][1:]
        turn = np.linspace(0.0, 2.0 * np.pi, 60)[:, None]
        rim = np.cos(half_angle) * centre + np.sin(half_angle) * (np.cos(turn) * first + np.sin(turn) * second)
        if (rim @ towards > 0.0).all():
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in HALF * (rim @ axes.T))
            colour = COLOURS[int(tree.depth[row])]
            shapes.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="0.08" stroke="{colour}"/>')
    return shapes


def _line(a: Float64Array, b: Float64Array) -> str:
    return f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="#bbb"/>'


def _dot(point: Float64Array, depth: int) -> str:
    return f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4" fill="{COLOURS[depth]}"/>'


def main() -> None:
    """Write the figure."""
    tree = example_tree()
    cones, caps = cone_layout(tree, 3, 4.0), cap_layout(tree, 3, 30.0)
    panels = {
        "combinatorial: edges by crowding": disk(tree, construct(tree, 2, RADIUS)),
        "rays: radius by depth": disk(tree, ray_layout(tree, 2, RADIUS)),
        "cones: half angle 2 arctan exp(-r)": rims(tree, cones, 2.0 * np.arctan(np.exp(-cones.radius))),
        "caps: half angle 2 arctan exp(-r/2)": rims(tree, caps, 2.0 * np.arctan(np.exp(-caps.radius / 2.0))),
    }
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {4 * SIZE} {SIZE + 30}" font-family="sans-serif">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for i, (title, shapes) in enumerate(panels.items()):
        x = SIZE * i + SIZE / 2
        parts.append(f'<text x="{x}" y="20" text-anchor="middle" font-size="15">{title}</text>')
        parts.append(f'<g transform="translate({x},{SIZE / 2 + 28})">{"".join(shapes)}</g>')
    PATH.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
