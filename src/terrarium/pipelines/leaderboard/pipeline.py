"""The pipeline leaderboard: all runs below the data root in one table, with a figure and a page."""

from kedro.pipeline import Node, Pipeline

from terrarium.reporting.leaderboard import leaderboard_page, leaderboard_table, quality_figure

NAMESPACE = "leaderboard"


def create_pipeline() -> Pipeline:
    """Build the pipeline; it trains nothing."""
    return Pipeline(
        [
            Node(leaderboard_table, ["results", "parameters"], "runs", name="list_runs", tags="reporting"),
            Node(quality_figure, "runs", "figure_quality", name="draw_quality", tags="reporting"),
            Node(leaderboard_page, ["runs", "figure_quality"], "report", name="write_report", tags="reporting"),
        ],
        namespace=NAMESPACE,
        parameters={"parameters"},
    )
