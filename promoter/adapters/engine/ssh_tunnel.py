"""A socket on this machine that is forwarded through `ssh` to an engine's socket on another machine.

One ssh process serves all requests, with the user's own ssh configuration, keys and known hosts. It ends with `close`,
and also when this process ends, for any reason.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from promoter.adapters.engine.address import Ssh
from promoter.model.errors import EngineError

# A shell runs between this process and ssh: when our end of its standard input closes, even by SIGKILL, it ends ssh.
# Then it deletes the folder, whose name is its $0. ssh runs in the foreground of the shell, so that no `wait` can miss its
# end. `kill 0` sends TERM to the whole session; the shell itself ignores it.
_KEEPER = 'exec 3<&0; trap : TERM; (trap - TERM; cat <&3 >/dev/null; kill 0) & "$@" 3<&- </dev/null; rm -rf "$0"'
_TIMEOUT = 30.0
_POLL_INTERVAL = 0.01


class Tunnel:
    """An ssh tunnel. `socket` answers as soon as the constructor returns; EngineError with ssh's message if it fails."""

    def __init__(self, address: str, ssh: Ssh, remote: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="promoter-ssh-"))
        self.socket = self._folder / "engine.sock"
        self._words = (self._folder / "words").open("w+b")
        self._keeper: subprocess.Popen[bytes] | None = None
        try:
            # In a session of its own: Ctrl-C must not end the connection to an engine on which something must be restored.
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", _KEEPER, str(self._folder), *command(ssh, str(self.socket), remote)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                start_new_session=True,
            )
            self._await(address)
        except BaseException:
            self.close()
            raise

    def _await(self, address: str) -> None:
        deadline = time.monotonic() + _TIMEOUT
        while not self._answers():
            ended = not self.alive
            if ended or time.monotonic() > deadline:
                reason = self.words() or ("ssh ended" if ended else f"no connection within {_TIMEOUT:.0f} s")
                raise EngineError(
                    f"the engine at {address} cannot be reached over ssh: {reason}",
                    hint="`ssh` to that host must work without a prompt: key, known host, permission to forward sockets",
                    retryable="timed out" in reason or "Connection refused" in reason or "reset" in reason,
                )
            time.sleep(_POLL_INTERVAL)

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(self.socket))
            return True
        return False

    def words(self) -> str:
        """Return the last line of ssh's output."""
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def alive(self) -> bool:
        return self._keeper is not None and self._keeper.poll() is None

    def close(self) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait()
        self._words.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def command(ssh: Ssh, local: str, remote: str) -> list[str]:
    """Return the ssh command that forwards `local` to the socket `remote` on the other host."""
    options = ["BatchMode=yes", "ExitOnForwardFailure=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "ControlPath=none"]
    words = ["ssh", "-nNT", *(word for option in options for word in ("-o", option)), "-L", f"{local}:{remote}"]
    words += ["-p", str(ssh.port)] if ssh.port else []
    words += ["-l", ssh.user] if ssh.user else []
    return [*words, "--", ssh.host]
