"""One release on several hosts: in batches, and all of them or none."""
