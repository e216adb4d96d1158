"""YAML 1.2 text to data, with a position for every part."""
