"""Reading, splitting and indexing triples."""
