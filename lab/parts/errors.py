"""What can go wrong in the lab: one exception, whose text is a plain sentence for the person who ran it."""


class LabError(Exception):
    """The lab cannot give what was asked; the message says why and what to do."""


class NotAvailableError(LabError):
    """A part that this machine cannot have."""
