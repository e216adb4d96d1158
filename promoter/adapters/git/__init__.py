"""Git through its command: the checkout, files at a protected ref, and which files are tracked."""
