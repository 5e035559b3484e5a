"""Models: query embeddings and scores."""
