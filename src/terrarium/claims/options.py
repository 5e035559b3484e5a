"""Option models of the pipeline `claims`."""

from __future__ import annotations

from pydantic import Field

from terrarium.common.options import FilePath
from terrarium.common.options import Options as Base


class SourceOptions(Base):
    """Where measured values come from besides the measurements of the pipeline."""

    path: FilePath = Field(description="folder of the tables that the benchmarks write, benchmarks/results")


class EvaluationOptions(Base):
    """How the pipeline measures."""

    quick: bool = Field(description="leave out the measurements that need all of WordNet or of the taxonomy")
    seed: int = Field(ge=0, description="first seed of the measurements that draw random numbers")


class Options(Base):
    """The pipeline's parameters."""

    source: SourceOptions = Field(description="Tables of results")
    evaluation: EvaluationOptions = Field(description="How statements are measured")
