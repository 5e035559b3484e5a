"""Comments of the parameter files and the reference page come from the option models, and say all there is to say."""

from typing import Literal

import pytest
import yaml
from pydantic import BaseModel, Field

from scripts.parameter_reference import render_reference, render_yaml, stale_files, undescribed, walk
from terrarium.hooks.parameters import family_models


class Phase(BaseModel):
    epoch: int = Field(ge=1, description="first epoch")


class Training(BaseModel):
    """How long. And how."""

    loss: Literal["bce", "softmax"] = Field(description="loss function")
    kind: Literal["a", "b"] = Field(description="a: first; b: second")
    path: str | None = Field(description="file # of all")
    share: float = Field(gt=0, lt=0.5, description="fraction of the rows")
    phases: list[Phase] | Literal["auto"] = Field(description="phases")
    long: int = Field(description="words " * 30)


class Family(BaseModel):
    training: Training
    named: dict[str, Phase | None] = Field(description="phases by name")


TEXT = """\
# Kept: what the file is.
family:
  training:   # an old comment
    # another one
    loss: bce # gone
    kind: a
    path: "a # b"  # gone, too
    share: 0.1
    phases:
      - {epoch: 1}

    long: 3
  named:
    first: {epoch: 2}
"""
WANTED = """\
# Kept: what the file is.
family:
  training:  # How long
    loss: bce      # loss function [bce, softmax]
    kind: a        # a: first; b: second
    path: "a # b"  # file # of all [text or null]
    share: 0.1     # fraction of the rows [> 0, < 0.5]
    # phases [auto]
    #   [].epoch: first epoch [>= 1]
    phases:
      - {epoch: 1}
"""


@pytest.fixture
def options():
    return list(walk(Family, ("family",)))


def test_comments_are_replaced_and_values_stay(options):
    rendered = render_yaml(TEXT, options)
    assert rendered.startswith(WANTED)
    assert yaml.safe_load(rendered) == yaml.safe_load(TEXT)
    assert render_yaml(rendered, options) == rendered
    assert max(map(len, rendered.splitlines())) <= 120
    assert rendered.endswith(
        "  # phases by name\n  #   NAME.epoch: first epoch [>= 1]\n  named:\n    first: {epoch: 2}\n"
    )


def test_the_reference_has_a_row_for_each_option():
    page = render_reference({"family": Family}, {"family": TEXT})
    assert "| `loss` | `bce` | `bce`, `softmax` | loss function |" in page
    assert "| `share` | `0.1` | number, > 0, < 0.5 | fraction of the rows |" in page
    assert "### family.training\n\nHow long.\n" in page
    assert "### family.named.NAME\n" in page


def test_every_option_is_described():
    assert undescribed(family_models()) == []


def test_every_comment_names_all_legal_values():
    for family, model in family_models().items():
        for option in walk(model, (family,)):
            assert all(name in option.comment for name in option.legal), option.path


def test_the_files_are_up_to_date():
    assert not stale_files(), "run `make reference`"
