"""A run in several processes: the first one runs the pipeline, the others help it to train."""

from __future__ import annotations

import logging
from contextlib import suppress

from click import ClickException
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from terrarium.training.torch.processes import LaunchError, World, connect, dismiss, find_world, follow

logger = logging.getLogger(__name__)

SHARED_NODES = ("knowledge_graph.train", "scenes.train")
"""The nodes that train in several processes."""


class JoinProcesses:
    """Connect the processes that torchrun or Slurm has started; all but the first only train and then exit."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Connect.

        Raises:
            ClickException: the processes were started in a way that cannot work, or no node can use them.
        """
        world = _find()
        if world.size == 1:
            return
        if not {node.name for node in pipeline.nodes} & set(SHARED_NODES):
            raise ClickException(
                f"This run has {world.size} processes and no node that trains in several ({', '.join(SHARED_NODES)}): "
                "start it as one process; to spread nodes over machines, use --runner=terrarium.runner.DaskRunner"
            )
        connect(world)
        if world.rank > 0:
            logger.info("Process %d of %d helps the first one to train", world.rank + 1, world.size)
            follow(world)
            raise SystemExit(0)
        logger.info("%d processes train together; this one runs the pipeline", world.size)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Let the other processes go."""
        dismiss(_find())

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Let the other processes go, so that they do not wait for a run that has failed."""
        logger.debug("Dismissing the other processes after %r", error)
        with suppress(RuntimeError):  # a process that has died cannot be told
            dismiss(_find())


def _find() -> World:
    try:
        return find_world()
    except LaunchError as error:
        raise ClickException(str(error)) from error
