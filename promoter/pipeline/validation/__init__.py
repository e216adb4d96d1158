"""The rules that `validate` applies to the whole file."""
