"""Builders: make an image in the engine's store, by buildx or by the engine's own builder. They do not push."""
