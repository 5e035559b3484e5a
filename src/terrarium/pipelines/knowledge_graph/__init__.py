"""Triples: embeddings of entities and relations that score what is missing, measured as others measure it."""
