"""The log of GitLab CI."""
