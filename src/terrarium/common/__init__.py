"""What every package may use: array types, option models, row operations. It imports nothing of Terrarium."""
