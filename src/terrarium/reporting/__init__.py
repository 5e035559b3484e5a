"""Shared parts of all reports: the HTML page, the style of figures and the format of numbers."""
