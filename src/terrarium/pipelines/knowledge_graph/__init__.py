"""Pipeline knowledge_graph: embed triples, rank held-out triples, predict answers."""
