"""What `doctor` checks: one file each for engines, registries, keys, clocks and the like, asked side by side."""
