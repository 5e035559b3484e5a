"""Terrarium: a Kedro project that grows embeddings of structured knowledge and reports how good they are."""

__version__ = "0.1.0"
