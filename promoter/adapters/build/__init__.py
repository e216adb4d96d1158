"""The room of the builders: a request becomes an image in the engine's store, by BuildKit (`buildx.py`) or by the engine's own
builder (`engine.py`); `choose.py` says which. Pushing is not done here.
"""
