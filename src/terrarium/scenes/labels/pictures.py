"""Pictures of archetypes and tags as SVG: a schematic road seen from above, drawn from the definition alone."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from terrarium.reporting.theme import GREY, LIGHT, PALETTE
from terrarium.scenes.labels.definitions import Definition
from terrarium.sources.traffic.tables import ACTOR_TYPES

LANE, STEP, MARGIN = 46, 58, 34
"""Width of a lane, distance to a leader, and margin, in pixels."""
_COLOURS = dict(zip(ACTOR_TYPES, PALETTE, strict=False))
_DASHES = {">": "", "=": "6 4", "~": "2 4"}
_SIZES = {"vehicle": (20, 34), "motorcycle": (10, 26), "cyclist": (9, 22), "pedestrian": (14, 14)}

Places = dict[str, tuple[float, float, bool]]
"""Road user -> lanes to the right, steps ahead, and whether it drives down the picture."""


def draw_definition(definition: Definition) -> str:
    """Return an SVG picture of the pattern of a definition; only a text without road users.

    Leaders are above their followers, adjacent road users to the right, opposite ones to the left, driving down. A
    square marks a junction, an arrow a lane change. Solid lines are following, dashed adjacent, dotted opposite.
    """
    places = _places(definition)
    if not places:
        return _svg(300, 40, [f'<text x="10" y="25" font-size="13">{escape(_ranges(definition))}</text>'])
    low = min(x for x, _, _ in places.values())
    high = max(y for _, y, _ in places.values())
    middle = {
        user: (MARGIN + (x - low) * LANE, MARGIN + (high - y) * STEP, down) for user, (x, y, down) in places.items()
    }
    width = MARGIN * 2 + (max(x for x, _, _ in places.values()) - low) * LANE
    height = MARGIN * 2 + (high - min(y for _, y, _ in places.values())) * STEP
    parts = [_lane(x, height) for x in sorted({x for x, _, _ in middle.values()})]
    parts += [_junction(*middle[user][:2]) for user in definition.intersection]
    parts += [_relation(relation.replace(" ", ""), middle) for relation in definition.relations]
    parts += [_road_user(user, definition, middle[user]) for user in middle]
    return _svg(width, height, parts)


def _places(definition: Definition) -> Places:
    """Place the road users, each next to one that has a place already."""
    users = definition.road_users
    places: Places = {users[0]: (0.0, 0.0, False)} if users else {}
    leaders: dict[str, int] = {}
    for relation in definition.relations:
        first, sign, second = relation[0], relation.replace(" ", "")[1], relation[-1]
        x, y, down = places.setdefault(first, (0.0, 0.0, False))
        if second in places:
            continue
        if sign == ">":
            place = (x + leaders.get(first, 0), y + 1.0, down)
            leaders[first] = leaders.get(first, 0) + 1
        elif sign == "=":
            place = (x + 1.0 + 0.0, y, down)
        else:
            place = (x - 1.0, y + 0.5, not down)
        while place[:2] in {taken[:2] for taken in places.values()}:
            place = (place[0] + (1.0 if sign != "~" else -1.0), place[1], place[2])
        places[second] = place
    return places


def _lane(x: float, height: float) -> str:
    return f'<rect x="{x - LANE / 2 + 2:g}" y="0" width="{LANE - 4}" height="{height:g}" fill="{LIGHT}"/>'


def _junction(x: float, y: float) -> str:
    side = LANE - 4
    return (
        f'<rect x="{x - side / 2:g}" y="{y - side / 2:g}" width="{side}" height="{side}" fill="{PALETTE[5]}" '
        'fill-opacity="0.35"/>'
    )


def _relation(relation: str, middle: Mapping[str, tuple[float, float, bool]]) -> str:
    (x, y, _), (other_x, other_y, _) = middle[relation[0]], middle[relation[2]]
    dash = _DASHES[relation[1]]
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x:g}" y1="{y:g}" x2="{other_x:g}" y2="{other_y:g}" stroke="{GREY}" stroke-width="2.5"{style}/>'


def _road_user(user: str, definition: Definition, place: tuple[float, float, bool]) -> str:
    x, y, down = place
    kind = str(definition.types.get(user, "vehicle"))
    width, length = _SIZES[kind]
    front = length / 2 * (1 if down else -1)
    parts = [
        f'<rect x="{x - width / 2:g}" y="{y - length / 2:g}" width="{width}" height="{length}" rx="4" '
        f'fill="{_COLOURS[kind]}"/>',
        f'<path d="M {x - 5:g} {y + front:g} L {x + 5:g} {y + front:g} L {x:g} {y + front * 1.4:g} Z" '
        f'fill="{_COLOURS[kind]}"/>',
        f'<text x="{x:g}" y="{y + 5:g}" font-size="13" text-anchor="middle" fill="white">{user}</text>',
    ]
    if user in definition.lane_change:
        parts.append(
            f'<path d="M {x - 22:g} {y + 14:g} C {x - 22:g} {y - 4:g} {x - 4:g} {y + 8:g} {x - 6:g} {y - 16:g}" '
            f'fill="none" stroke="{PALETTE[1]}" stroke-width="3"/>'
        )
    return "".join(parts)


def _ranges(definition: Definition) -> str:
    return ", ".join(f"{_readable(name)} {low:g} to {high:g}" for name, (low, high) in definition.criticality.items())


def _readable(measure: str) -> str:
    """Return the name of a measure with its unit, such as time headway (s)."""
    name, _, unit = measure.rpartition("_")
    units = {"s": "s", "mps": "m/s", "mps2": "m/s²"}
    return f"{name.replace('_', ' ')} ({units[unit]})"


def _svg(width: float, height: float, parts: list[str]) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    font = 'font-family="system-ui, sans-serif"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>{"".join(parts)}</svg>\n'
