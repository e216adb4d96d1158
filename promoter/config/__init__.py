"""YAML and templates read into typed values, each with its place in the file."""
