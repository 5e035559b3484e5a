"""Scenes: embeddings of traffic-scene graphs, and what simulated scenes lack."""
