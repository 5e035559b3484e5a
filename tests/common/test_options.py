import pytest
from pydantic import ValidationError

from terrarium.common.options import Options


class Inner(Options):
    rate: float


class Outer(Options):
    inner: Inner


def test_unknown_names_are_refused_at_every_level():
    with pytest.raises(ValidationError, match=r"rat\n.*Extra inputs are not permitted"):
        Outer.model_validate({"inner": {"rate": 0.1, "rat": 0.2}})
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Outer.model_validate({"inner": {"rate": 0.1}, "outer": 1})


def test_options_cannot_be_changed_later():
    options = Outer.model_validate({"inner": {"rate": 0.1}})
    with pytest.raises(ValidationError, match="frozen"):
        options.inner.rate = 0.2
    assert options.model_copy(update={"inner": Inner(rate=0.2)}).inner.rate == 0.2
    assert options.inner.rate == 0.1


def test_nothing_is_renamed_unless_a_model_says_so():
    assert Outer.renamed == {}
    assert Outer.renamed_values == {}
