"""One file for each thing one can ask for; what the command line and other front ends call."""
