"""One plan carried out on an engine; a fact after each step, and the earlier release back where it fails."""
