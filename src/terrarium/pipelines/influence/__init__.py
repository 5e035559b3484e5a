"""Which training triples caused a prediction: influence by gradients in closed form (TracIn, Pruthi 2020)."""
