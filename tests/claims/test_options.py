"""The ledger's options."""

import pytest
from pydantic import ValidationError

from terrarium.claims.options import Options


def test_the_options_are_a_folder_and_how_much_is_measured():
    given = {"source": {"path": "benchmarks/results"}, "evaluation": {"quick": True, "seed": 0}}
    assert Options.model_validate(given).evaluation.quick
    with pytest.raises(ValidationError):
        Options.model_validate(given | {"training": {}})
