"""GitLab's own form: sections of a job's log that fold."""
