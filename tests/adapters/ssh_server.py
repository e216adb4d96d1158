"""A real sshd that serves one connection over its standard input: no port, and no process that remains.

As root it needs a separate account for privilege separation; a private mount namespace has one.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_AS_ROOT = """\
cp /etc/passwd {directory}/passwd
grep -q ^sshd: {directory}/passwd || echo sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin >> {directory}/passwd
mount --bind {directory}/passwd /etc/passwd
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
"""


class SshServer:
    """`key` may log in; `environment` lets git reach `host` with the real ssh, without the user's configuration."""

    host = "ledgers.test"

    def __init__(self, directory: Path, program: Sequence[Path]) -> None:
        directory.mkdir()
        self.directory, self.key, self.known = directory, directory / "key", directory / "known_hosts"
        for name in ("key", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
        self.known.write_text(f"{self.host} {(directory / 'host.pub').read_text()}")
        self.allow("key")
        (directory / "sshd_config").write_text(self._settings(program[0]))
        self._listener(program)
        self.program = directory / "ssh"
        self.program.write_text(
            f"#!/bin/sh\nexec ssh -F none -o ProxyCommand={directory}/door -o UserKnownHostsFile={self.known} "
            f'-o IdentitiesOnly=yes -o IdentityAgent=none -i {self.key} "$@"\n'
        )
        self.program.chmod(0o755)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"GIT_SSH": str(self.program), "GIT_SSH_VARIANT": "ssh"}

    def allow(self, *keys: str) -> None:
        (self.directory / "authorized").write_text("".join((self.directory / f"{key}.pub").read_text() for key in keys))

    def _settings(self, program: Path) -> str:
        lines = [f"HostKey {self.directory}/host", f"AuthorizedKeysFile {self.directory}/authorized", "PermitRootLogin yes"]
        lines += ["StrictModes no", "UsePAM no", "PidFile none", "PasswordAuthentication no", "KbdInteractiveAuthentication no"]
        halves = program.parents[1] / "lib/openssh"  # newer versions are several programs, in the directory of the package
        for setting, name in (("SshdSessionPath", "sshd-session"), ("SshdAuthPath", "sshd-auth")):
            if (halves / name).exists():
                lines.append(f"{setting} {halves / name}")
        return "\n".join(lines) + "\n"

    def _listener(self, program: Sequence[Path]) -> None:
        libraries = ":".join(map(str, program[1:]))
        serve = f"{program[0]} -i -f {self.directory}/sshd_config"
        (self.directory / "inside").write_text(f"set -e\n{_AS_ROOT.format(directory=self.directory)}exec {serve}\n")
        start = f"unshare --mount sh {self.directory}/inside" if os.geteuid() == 0 else serve
        path = f"export LD_LIBRARY_PATH={libraries}\n" if libraries else ""
        (self.directory / "door").write_text(f"#!/bin/sh\n{path}exec {start}\n")
        (self.directory / "door").chmod(0o755)
