"""The result as a dotenv report: a line a value, none of them quoted, for GitLab's later jobs and for any shell."""

from collections.abc import Mapping

from promoter.ui.reports.progress_lines import clean

NAMES = ("status", "reason-code", "release", "digest", "plan-digest", "previous", "url")


def dotenv(values: Mapping[str, str]) -> str:
    """`values` are the outputs. What is none, is empty: a job that reads them may count on each name."""
    return "".join(f"{_variable(name)}={_plain(values.get(name, ''))}\n" for name in NAMES)


def _variable(name: str) -> str:
    return f"PROMOTER_{name.replace('-', '_').upper()}"


def _plain(value: str) -> str:
    """GitLab fills in `$NAME` where such a value is used, and shells read blanks and quotes: an address spells them out."""
    return "".join(c if c.isalnum() or c in "-._~:/?#[]@!&*+,;=%" else _percent(c) for c in clean(value))


def _percent(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode(errors="replace"))
