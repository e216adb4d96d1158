"""The registry adapter: the distribution API over HTTP. `client.py` implements the port; the engine pushes layers."""
