"""The promotion of one release into environments: build, plan, admission, execution. Modules import downwards only."""
