"""The window gate: opening hours, freezes and calendars. Pure."""
