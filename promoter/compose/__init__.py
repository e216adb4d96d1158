"""The Compose Specification's service: its canonical form, its short forms, its merge rules, and what we refuse."""
