"""GitHub's workflow commands: written so that they say one thing, and other text written so that it says none.

The runner knows two spellings, `::command::` at the start of a line and `##[command]` anywhere in one, and compares
by rules that look through characters which nobody sees. A fence (`::stop-commands::TOKEN`) keeps it from listening; but
stdout and stderr reach it on two ways, at two speeds, so what stands inside a fence is made harmless as well.
"""

import re
import secrets
from collections.abc import Mapping

from promoter.model.visible_text import visible
from promoter.ui.reports.progress_lines import clean, without_control

_UNSEEN = "[^ -~]*"
_NEW_SPELLING = re.compile(rf"^([^!-~]*:{_UNSEEN}):")
_OLD_SPELLING = re.compile(rf"(#{_UNSEEN}#{_UNSEEN})\[")


def command(name: str, data: str = "", properties: Mapping[str, object] | None = None) -> str:
    """One line. Properties without a value are left out."""
    said = ",".join(f"{key}={_property(str(value))}" for key, value in (properties or {}).items() if value not in (None, ""))
    return f"::{name}{f' {said}' if said else ''}::{_data(data)}"


def _data(text: str) -> str:
    """Lines stay lines: the runner makes them again of what stands for them."""
    cleaned = "\n".join(clean(line) for line in text.splitlines())
    return cleaned.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def risky(text: str) -> bool:
    """Whether the runner could take a line of it for a command."""
    return any(_NEW_SPELLING.match(line) or _OLD_SPELLING.search(line) for line in _lines(text))


def harmless(text: str) -> str:
    """The same lines without control characters; where one would be a command, a space breaks it."""
    return "\n".join(visible(_broken(line)) for line in _lines(text))


def _lines(text: str) -> list[str]:
    return [without_control(line) for line in text.split("\n")]


def _broken(line: str) -> str:
    return _OLD_SPELLING.sub(r"\1 [", _NEW_SPELLING.sub(r"\1 :", line))


def harmless_json(text: str) -> str:
    """The same JSON document, spelled so that no line of it is a command."""
    return text.replace("#", "\\u0023") if risky(text) else text


def new_token() -> str:
    """What ends a fence or a value: nobody can know it before, and none is used twice."""
    return secrets.token_hex(16)


def fenced(text: str) -> str:
    """Harmless lines; where there was something to make harmless, the runner is told not to listen either."""
    if not risky(text):
        return harmless(text)
    token = new_token()
    return "\n".join((stop(token), harmless(text), resume(token)))


def stop(token: str) -> str:
    return f"::stop-commands::{token}"


def resume(token: str) -> str:
    return f"::{token}::"


def assignments(values: Mapping[str, str]) -> str:
    """What is appended to `$GITHUB_OUTPUT`: each value between two lines that it cannot hold."""
    return "".join(_assignment(name, value, new_token()) for name, value in values.items())


def _assignment(name: str, value: str, delimiter: str) -> str:
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def masks(value: str, shortest: int) -> list[str]:
    """Hides a secret wherever the log shows it, line by line as the log has it; what is too short would hide everything."""
    lines = dict.fromkeys(line.strip() for line in value.splitlines())
    return [command("add-mask", line) for line in lines if len(line) >= shortest and not _DIGEST.fullmatch(line)]


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""No secret, and a hidden one could be no output."""
