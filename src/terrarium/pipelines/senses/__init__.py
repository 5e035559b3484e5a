"""Word senses: sparse vectors of WordNet whose dimension grows while training."""
