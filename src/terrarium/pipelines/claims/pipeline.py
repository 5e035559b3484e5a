"""The pipeline claims: read statements and results, measure, judge, write the ledger.

Each document's measurements are a dataset of its own, so `--nodes=claims.measure_naomi2,claims.judge` measures one
document again, and `--tags=reporting` writes the ledger of the newest values without measuring.
"""

from kedro.pipeline import Node, Pipeline

from terrarium.claims.ledger import DOCUMENTS
from terrarium.pipelines.claims import nodes

NAMESPACE = "claims"


def create_pipeline() -> Pipeline:
    """Build all stages; each node has the tag of its stage."""
    measured = {f"measured_{document}": f"measured_{document}" for document in DOCUMENTS}
    return Pipeline(
        [
            Node(
                nodes.read_claims,
                "params:source",
                {"statements": "statements", "results": "results"},
                name="read_claims",
                tags="ingestion",
            ),
            *(
                Node(
                    getattr(nodes, f"measure_{document}"),
                    "params:evaluation",
                    f"measured_{document}",
                    name=f"measure_{document}",
                    tags="evaluation",
                )
                for document in DOCUMENTS
            ),
            Node(
                nodes.judge,
                {"statements": "statements", "results": "results", **measured},
                "ledger",
                name="judge",
                tags="evaluation",
            ),
            Node(
                nodes.write_ledger,
                "ledger",
                {"markdown": "markdown", "report": "report"},
                name="write_ledger",
                tags="reporting",
            ),
        ],
        namespace=NAMESPACE,
    )
