"""Write docs/reference/archetypes.md and its pictures from the shipped files of labels; --check writes nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from terrarium.scenes.labels.definitions import Definition, read_definitions
from terrarium.scenes.labels.pictures import draw_definition

ROOT = Path(__file__).parents[1]
PAGE, IMAGES = ROOT / "docs/reference/archetypes.md", ROOT / "docs/images/archetypes"
_INTRODUCTION = """# Archetypes and tags

Each archetype is a pattern of related road users; a graph has it if the pattern is an induced
subgraph. `src/terrarium/scenes/labels/archetypes.yml` defines them, `tags.yml` the tags of critical
situations. [Gaps](../scenes-gaps.md#archetypes-and-tags) says how to write your own. This page is
made by `python -m scripts.archetype_page`.

In the pictures, traffic goes up the page and opposite traffic down. Solid lines are following,
dashed ones adjacent, dotted ones opposite. A square is a junction, an orange arrow a lane change.
"""


def build() -> dict[Path, str]:
    """Return the page and the pictures, by path."""
    made: dict[Path, str] = {}
    lines = [_INTRODUCTION]
    for kind, title in (("archetypes", "Archetypes"), ("tags", "Tags")):
        lines.append(f"## {title}\n")
        lines.append("| name | picture | definition | pattern |\n|---|---|---|---|")
        for name, given in read_definitions(None, kind).items():  # type: ignore[arg-type]
            made[IMAGES / f"{name}.svg"] = draw_definition(given)
            picture = f"![{name}](../images/archetypes/{name}.svg)"
            lines.append(f"| `{name}` | {picture} | {given.definition} | {_pattern(given)} |")
        lines.append("")
    made[PAGE] = "\n".join(lines)
    return made


def _pattern(given: Definition) -> str:
    parts = [f"`{' '.join(given.relations)}`"] if given.relations else []
    parts += [f"{name.replace('_', ' ')}: {', '.join(users)}" for name, users in _flags(given) if users]
    parts += [f"{user} is a {kind}" for user, kind in given.types.items()]
    parts += [f"`{name}` {low:g} to {high:g}" for name, (low, high) in given.criticality.items()]
    parts += ["other flags may be anything"] if given.relations and not given.exact else []
    return "; ".join(parts)


def _flags(given: Definition) -> tuple[tuple[str, list[str]], ...]:
    return ("lane_change", given.lane_change), ("intersection", given.intersection)


def main(words: list[str]) -> int:
    """Write what has changed; with --check only say so and return 1."""
    behind = [path for path, text in build().items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in words:
        for path in behind:
            sys.stdout.write(f"{path.relative_to(ROOT)} is behind: python -m scripts.archetype_page\n")
        return int(bool(behind))
    for path in behind:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(build()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
