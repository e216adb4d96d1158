"""The APIs of GitHub and GitLab, and the files through which a CI platform takes the results of a run."""
