"""The first pipeline file and the workflow of a CI platform that `init` writes. Pure."""
