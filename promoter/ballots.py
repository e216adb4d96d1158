"""Votes checked against their signatures: what a vote says counts only when the person who signed it said the same."""
