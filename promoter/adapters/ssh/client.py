"""Facts about the OpenSSH client on this machine: its version, the keys of its agent, its known hosts. It opens no connection."""

import os
import shutil
import subprocess

_SECONDS = 5.0


def version() -> str | None:
    """Return the version of ssh, or None if it is missing."""
    answer = _run("ssh", "-V")
    return None if answer is None else (answer.stderr or answer.stdout).strip().splitlines()[0]


def agent_keys() -> tuple[str, ...] | None:
    """Return the keys of the agent, as fingerprint and comment; None if no agent answers."""
    if not os.environ.get("SSH_AUTH_SOCK"):
        return None
    answer = _run("ssh-add", "-l")
    if answer is None or answer.returncode not in (0, 1):
        return None
    return tuple(answer.stdout.strip().splitlines()) if answer.returncode == 0 else ()


def fingerprint(file: str) -> str | None:
    """Return the fingerprint of a public key, or of the public half of a private one; None for a file that is not a key."""
    answer = _run("ssh-keygen", "-l", "-f", file)
    words = answer.stdout.split() if answer is not None and answer.returncode == 0 else []
    return words[1] if len(words) > 1 else None


def knows(host: str, port: int | None) -> bool | None:
    """Return whether the host's key is known, by the user's ssh configuration; None if that cannot be found out."""
    settings = _settings(host, port)
    if settings is None or settings.get("proxycommand", "none") != "none" or settings.get("proxyjump", "none") != "none":
        return None
    name = settings.get("hostkeyalias") or settings.get("hostname", host)
    number = settings.get("port", "22")
    wanted = name if number == "22" or "hostkeyalias" in settings else f"[{name}]:{number}"
    files = [*settings.get("userknownhostsfile", "").split(), *settings.get("globalknownhostsfile", "").split()]
    for file in files:
        answer = _run("ssh-keygen", "-F", wanted, "-f", os.path.expanduser(file))  # noqa: PTH111 -- ssh's own spelling
        if answer is not None and answer.returncode == 0:
            return True
    return False


def _settings(host: str, port: int | None) -> dict[str, str] | None:
    answer = _run("ssh", "-G", *(("-p", str(port)) if port else ()), "--", host)
    if answer is None or answer.returncode != 0:
        return None
    return {name: value for name, _, value in (line.partition(" ") for line in answer.stdout.splitlines())}


def _run(*words: str) -> "subprocess.CompletedProcess[str] | None":
    if shutil.which(words[0]) is None:
        return None
    try:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
