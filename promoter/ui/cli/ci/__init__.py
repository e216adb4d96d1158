"""The CI platform that runs the command, and how its log takes groups, annotations and masks."""
