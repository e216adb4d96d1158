"""A service in the keys of the Compose Specification: canonical form, short forms, merge rules and unsupported keys."""
