"""Errors of the lab: one exception, whose text is a plain sentence for the user."""


class LabError(Exception):
    """The lab cannot provide a part; the message has the reason and the remedy."""


class NotAvailableError(LabError):
    """A part is not available on this machine."""
