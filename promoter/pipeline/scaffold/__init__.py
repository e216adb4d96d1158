"""The first pipeline file and the CI workflow that `init` writes. Pure."""
