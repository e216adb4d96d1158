"""The rules that `validate` applies across the whole file."""
