"""A PostgreSQL server of one test: in a separate directory, on a separate socket and loopback port."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.ports import next_port

HBA = """\
local all admin trust
host all admin 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256
"""
OPTIONS = (
    "-c",
    "shared_buffers=8MB",
    "-c",
    "max_connections=40",
    "-c",
    "synchronous_commit=off",
    "-c",
    "jit=off",
    "-c",
    "autovacuum=off",
)


class Server:
    """`url` is the address of a database, for the superuser. `synchronous_commit` is off, as an administrator may set it."""

    def __init__(self, programs: Path, home: Path) -> None:
        self._programs, self.home = programs, home
        self.port = next_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"

    def prepare(self) -> None:
        if os.getuid() == 0:  # it refuses to run as root
            shutil.chown(self.home, self._user)
        self._run("initdb", "-D", str(self.home / "data"), "-U", "admin", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        (self.home / "data" / "pg_hba.conf").write_text(HBA)

    def start(self, *options: str) -> None:
        """Start it from the main thread: the server ends with the thread that started it, so that none outlives killed tests."""
        command = [
            "setpriv",
            "--pdeathsig",
            "QUIT",
            str(self._programs / "postgres"),
            "-D",
            str(self.home / "data"),
            "-p",
            str(self.port),
            "-k",
            str(self.home),
        ]
        self._process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", *OPTIONS, *options],
            stdout=subprocess.DEVNULL,
            stderr=(self.home / "log").open("ab"),
            cwd=self.home,
            **self._as(),
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None and time.monotonic() < deadline, (self.home / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it. SIGINT closes connections and ends in good order, SIGQUIT ends at once, as a crash does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def url(self, database: str, user: str = "admin", **more: str) -> str:
        extra = "".join(f"&{key}={value}" for key, value in more.items())
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?connect_timeout=5{extra}"

    def ask(self, *statements: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *words], capture_output=True, cwd=self.home, check=False, **self._as()
        )
        assert done.returncode == 0, done.stderr.decode()

    def _as(self) -> dict[str, object]:
        return {"user": self._user, "extra_groups": []} if os.getuid() == 0 else {}


@contextmanager
def serving(programs: Path) -> Iterator[Server]:
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Server(programs, home)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(home, ignore_errors=True)
