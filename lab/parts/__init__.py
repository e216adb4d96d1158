"""The parts of the lab, one file each. Standard library only: they run before any virtual environment exists."""
