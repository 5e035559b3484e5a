"""What the reports of all families share: one page, one look of figures, one way to write numbers."""
