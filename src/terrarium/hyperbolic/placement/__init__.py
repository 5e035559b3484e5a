"""Place new items in a layout, from a few relatives with weights or distances."""
