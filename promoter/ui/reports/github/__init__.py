"""The log, summary and annotations of GitHub Actions."""
