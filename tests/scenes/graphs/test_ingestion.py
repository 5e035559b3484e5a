import pytest

from terrarium.scenes.graphs.ingestion import read_sources
from terrarium.sources.errors import SourceError
from tests.scenes.scenery import options


def test_without_any_source_the_run_stops():
    variants = {name: None for name in options().source.simulator.variants}  # noqa: C420
    nothing = options().source.model_copy(
        update={"simulator": options().source.simulator.model_copy(update={"variants": variants})}
    )
    with pytest.raises(SourceError, match="there is no source"):
        read_sources(nothing)
