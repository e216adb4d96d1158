"""The result as a dotenv report, for GitLab's later jobs and any shell: one value a line, without quotes."""

from collections.abc import Mapping

from promoter.ui.reports.progress_lines import clean

NAMES = ("status", "reason-code", "release", "digest", "plan-digest", "previous", "url")


def dotenv(values: Mapping[str, str]) -> str:
    """Format the outputs. Missing values are empty, so that every name is defined."""
    return "".join(f"{_variable(name)}={_plain(values.get(name, ''))}\n" for name in NAMES)


def _variable(name: str) -> str:
    return f"PROMOTER_{name.replace('-', '_').upper()}"


def _plain(value: str) -> str:
    """Percent-encode what GitLab (`$NAME`) or a shell (blanks, quotes) would interpret in a value."""
    return "".join(c if c.isalnum() or c in "-._~:/?#[]@!&*+,;=%" else _percent(c) for c in clean(value))


def _percent(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode(errors="replace"))
