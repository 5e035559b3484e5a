"""The measurable statements of the five source documents, each with what was measured and a verdict."""
