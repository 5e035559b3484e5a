"""The pipeline `claims`: statements of the source documents, measured and judged."""
