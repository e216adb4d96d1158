"""Sign with OpenSSH's own ssh-keygen, so that key files, agents and hardware keys work as people expect.

ssh-keygen prompts on the terminal itself (passphrase, touch of the token), so it gets the terminal and standard error.
Signatures are not verified here.
"""

import base64
import binascii
import os
import subprocess
import sys
from pathlib import Path

from promoter.config.regular_file import home_of, is_file
from promoter.model.errors import SigningError
from promoter.model.statement import NAMESPACE

_LONGEST = 65536
"""Bytes of a key file that are read at most."""
_TIMEOUT = 300.0
"""Seconds for a person to type a passphrase or to touch a token."""


class SshKeygen:
    """`Signer` by means of `ssh-keygen -Y sign`. Relative names of keys start from `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def public_key(self, key: str) -> bytes | None:
        """Return the key in `key`, or in the file `key`.pub beside a private one."""
        file = self._file(key)
        for each in (file.with_name(f"{file.name}.pub"), file):
            if is_file(each) and (blob := _blob(each.read_bytes()[:_LONGEST])) is not None:
                return blob
        return None

    def sign(self, text: str, key: str) -> str:
        file = self._file(key)
        command = ["ssh-keygen", "-Y", "sign", "-f", str(file), "-n", NAMESPACE]
        try:
            done = subprocess.run(
                command, input=text.encode(), stdout=subprocess.PIPE, stderr=_errors(), timeout=_TIMEOUT, check=False
            )
        except FileNotFoundError as error:
            raise SigningError("ssh-keygen is not installed", hint="install OpenSSH's client (openssh-client)") from error
        except subprocess.TimeoutExpired as error:
            raise SigningError(f"ssh-keygen did not answer for {_TIMEOUT:.0f} s", hint="try again") from error
        messages = (done.stderr or b"").decode(errors="replace").strip()
        if done.returncode != 0 or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
            raise SigningError(f"ssh-keygen could not sign with {file}: {_last(messages)}", hint=_hint(messages))
        return done.stdout.decode()

    def _file(self, key: str) -> Path:
        file = self._directory / home_of(key)
        if is_file(file):
            return file
        raise SigningError(
            f"there is no key {file}", hint="set --key to a private key, or to the public key of one in your agent or token"
        )


def _blob(content: bytes) -> bytes | None:
    """Return the key of a line as in a .pub file: its type, the key in base64, a comment."""
    words = content.split(maxsplit=2)
    try:
        return base64.b64decode(words[1], validate=True) if len(words) > 1 else None
    except binascii.Error:
        return None


def git_signing_key(directory: Path) -> str | None:
    """Return the file of the key with which git signs commits here, if it is an SSH key."""
    if _git(directory, "gpg.format") != "ssh":
        return None
    name = _git(directory, "--type=path", "user.signingKey")
    return name if name and is_file(home_of(name)) else None


def _git(directory: Path, *what: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "config", "--get", *what],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return answer.stdout.strip() or None


def _errors() -> int | None:
    """Return where ssh-keygen's standard error goes: to the terminal ("confirm user presence"), or else to our error message."""
    return None if sys.stderr.isatty() else subprocess.PIPE


def _last(messages: str) -> str:
    lines = [line for line in messages.splitlines() if line.strip() and not line.startswith("Signing ")]
    return lines[-1].strip().rstrip(".") if lines else "see its message above" if sys.stderr.isatty() else "it gave no reason"


def _hint(messages: str) -> str:
    if "incorrect passphrase" in messages:
        return "type the passphrase of that key, or add the key to your agent (ssh-add) and name its .pub file"
    if "UNPROTECTED" in messages or "bad permissions" in messages:
        return "make it readable only for you: chmod 600"
    if not os.environ.get("SSH_AUTH_SOCK") and ("agent" in messages or "sign" in messages):
        return "no agent is running here (SSH_AUTH_SOCK is not set): start one, or use a private key"
    return "try it by hand: echo test | ssh-keygen -Y sign -n file -f KEY"
