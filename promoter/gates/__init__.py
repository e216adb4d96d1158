"""Gates and checks: one kind a file, with its model in YAML and its verdict. Pure: callers collect the inputs."""
