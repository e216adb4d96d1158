"""Gates and checks: one kind a file, its shape in YAML and its verdict. Pure: what it needs was looked up before."""
