"""What `doctor` checks: one file each for engines, registries, keys, clocks and the like, run in parallel."""
