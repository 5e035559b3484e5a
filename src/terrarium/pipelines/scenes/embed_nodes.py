"""What the pipeline scenes_embed does, step by step."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.scenes.graphs.ingestion import read_new_scenes
from terrarium.scenes.options import EmbedOptions
from terrarium.scenes.use.new_scenes import embed_scenes, find_nearest, measure_novelty
from terrarium.training.checkpointing.state import State


def read_source(embed: EmbedOptions) -> dict[str, pd.DataFrame]:
    """Read the new scenes: their tracks and lanes."""
    recording = read_new_scenes(embed)
    return {"tracks": recording.tracks, "lanes": recording.lanes}


def export_embeddings(tracks: pd.DataFrame, lanes: pd.DataFrame, weights: State) -> dict[str, Any]:
    """Build the graphs of the new scenes and embed them with trained weights."""
    found = embed_scenes(weights, tracks, lanes)
    return {"graphs": found.graphs.state(), "graph_index": found.index, "embeddings": found.embeddings}


def compare(embeddings: pd.DataFrame, known: pd.DataFrame, embed: EmbedOptions) -> dict[str, pd.DataFrame]:
    """Find the nearest known scenes of each new graph, and how novel it is."""
    return {
        "nearest": find_nearest(embeddings, known, embed.num_scenes),
        "novelty": measure_novelty(embeddings, known, embed.num_neighbors),
    }
