"""The registry adapter: the distribution API over HTTP. `client.py` is the port; pushing layers is the engine's work."""
