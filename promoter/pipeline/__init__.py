"""The pipeline file: its text, read, checked and resolved into a `Pipeline` and its environments."""
