"""`{{ … }}` in the pipeline file, in a sandbox; secrets stay handles."""
