"""One file for each use case, called by the command line and other front ends."""
