"""The approval gate: its rule, and which votes count."""
