"""The platforms that host repositories and run jobs, over their HTTP APIs: GitHub and GitLab."""
