"""GitHub's workflow commands: write commands safely, and escape other text so that it is no command.

The runner knows two spellings, `::command::` at the start of a line and `##[command]` anywhere in one, and compares
by rules that ignore invisible characters. A fence (`::stop-commands::TOKEN`) stops command processing. But stdout and
stderr reach the runner separately and not in order, so the text inside a fence is escaped as well.
"""

import secrets
from collections.abc import Mapping

from promoter.model.pattern import pattern
from promoter.model.visible_text import visible
from promoter.ui.reports.progress_lines import clean, without_control

_UNSEEN = "[^ -~]*"
_NEW_SPELLING = pattern(rf"^([^!-~]*:{_UNSEEN}):")
_OLD_SPELLING = pattern(rf"(#{_UNSEEN}#{_UNSEEN})\[")


def command(name: str, data: str = "", properties: Mapping[str, object] | None = None) -> str:
    """Format a command as one line. Omit properties without a value."""
    options = ",".join(f"{key}={_property(str(value))}" for key, value in (properties or {}).items() if value not in (None, ""))
    return f"::{name}{f' {options}' if options else ''}::{_data(data)}"


def _data(text: str) -> str:
    """Escape line ends; the runner decodes them."""
    cleaned = "\n".join(clean(line) for line in text.splitlines())
    return cleaned.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def risky(text: str) -> bool:
    """Return whether the runner could read a line of it as a command."""
    return any(_NEW_SPELLING.match(line) or _OLD_SPELLING.search(line) for line in _lines(text))


def harmless(text: str) -> str:
    """Remove control characters, and insert a space where a line would be a command."""
    return "\n".join(visible(_broken(line)) for line in _lines(text))


def _lines(text: str) -> list[str]:
    return [without_control(line) for line in text.split("\n")]


def _broken(line: str) -> str:
    return _OLD_SPELLING.sub(r"\1 [", _NEW_SPELLING.sub(r"\1 :", line))


def harmless_json(text: str) -> str:
    """Escape a JSON document so that no line of it is a command; its value does not change."""
    return text.replace("#", "\\u0023") if risky(text) else text


def new_token() -> str:
    """Return a random token that ends a fence or a value. None is used twice."""
    return secrets.token_hex(16)


def fenced(text: str) -> str:
    """Escape lines; where anything was escaped, also stop the runner's command processing around them."""
    if not risky(text):
        return harmless(text)
    token = new_token()
    return "\n".join((stop(token), harmless(text), resume(token)))


def stop(token: str) -> str:
    return f"::stop-commands::{token}"


def resume(token: str) -> str:
    return f"::{token}::"


def assignments(values: Mapping[str, str]) -> str:
    """Format values for `$GITHUB_OUTPUT`, each between two delimiter lines that it cannot contain."""
    return "".join(_assignment(name, value, new_token()) for name, value in values.items())


def _assignment(name: str, value: str, delimiter: str) -> str:
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def masks(value: str, shortest: int) -> list[str]:
    """Return commands that mask a secret, one for each line. Too short lines are skipped: they would mask everything."""
    lines = dict.fromkeys(line.strip() for line in value.splitlines())
    return [command("add-mask", line) for line in lines if len(line) >= shortest and not _DIGEST.fullmatch(line)]


_DIGEST = pattern(r"sha256:[0-9a-f]{64}")
"""Values that are never masked: they are not secret, and GitHub drops outputs with masked text."""
