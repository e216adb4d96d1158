"""GitHub's own forms: workflow commands, groups, annotations, the step summary. What is written where is not decided here."""
