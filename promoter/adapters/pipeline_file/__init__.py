"""Reads pipeline files: `load.load` and `load.validate` are the doors. What the words mean is `pipeline.py`'s."""
