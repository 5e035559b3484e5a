"""Figures as small pictures."""

import shutil

import pytest

from scripts.figure_images import MAX_BYTES, NoBrowserError, draw_figure, save_small

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed")


def test_a_picture_has_few_colours_and_few_bytes(tmp_path):
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(tmp_path / "large.png")
    save_small(tmp_path / "large.png", tmp_path / "small.png")
    assert (tmp_path / "small.png").stat().st_size <= MAX_BYTES
    assert len(Image.open(tmp_path / "small.png").getcolors(300)) <= 256


def test_a_picture_of_one_colour_is_an_error(tmp_path):
    Image.new("RGB", (40, 30), "white").save(tmp_path / "white.png")
    with pytest.raises(ValueError, match="nothing was drawn"):
        save_small(tmp_path / "white.png", tmp_path / "small.png")


def test_without_a_browser_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoBrowserError, match="apt install chromium"):
        draw_figure({"data": [], "layout": {}}, tmp_path / "figure.png")
