"""What a trained graph model answers: scores of pairs, and new entities."""
