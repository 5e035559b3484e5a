"""Knowledge graph embeddings: ComplEx, ConvE and DistMult on triples. It does not import Kedro."""
