"""The process of a run: who it is, on what machine, how it is interrupted, and what it leaves when it is killed."""
