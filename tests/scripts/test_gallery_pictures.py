"""The gallery has the main picture of each family, each below 200 kB."""

import json
import re

from scripts import gallery_pictures
from scripts.figure_images import MAX_BYTES
from scripts.gallery_pictures import FIGURES, FOLDER, draw_gallery
from tests.project import ROOT


def test_every_family_has_its_picture_in_the_gallery():
    page = (ROOT / "docs/gallery.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\(images/gallery/(\w+)\.png\)", page))
    assert shown == set(FIGURES) == {path.stem for path in FOLDER.glob("*.png")}
    assert "images/disk.png" in page


def test_pictures_are_small():
    pictures = [*(ROOT / "docs/images").rglob("*.png"), *(ROOT / "docs/images").rglob("*.svg")]
    assert [path.name for path in pictures if path.stat().st_size > MAX_BYTES] == []


def test_the_newest_figure_of_each_family_is_drawn(tmp_path, monkeypatch):
    for version in ("2026-01-01", "2026-01-02"):
        path = tmp_path / "08_reporting/scenes/figure_scenes.json" / version / "figure_scenes.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"data": [], "layout": {"title": version}}), encoding="utf-8")
    drawn = []
    monkeypatch.setattr(gallery_pictures, "draw_figure", lambda figure, path: drawn.append((figure, path)) or path)
    assert draw_gallery(tmp_path, tmp_path) == [tmp_path / "scenes.png"]
    assert drawn[0][0]["layout"]["title"] == "2026-01-02"
