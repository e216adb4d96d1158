"""The ledger in a real PostgreSQL server: what every ledger promises, and effects that only a remote server has on it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from promoter.adapters.ledgers.open import open_ledger
from promoter.adapters.ledgers.postgres.store import PostgresLedger, without_password
from promoter.adapters.retry import Retry
from promoter.ledger.chain import Fact, FactDraft, Kind, check_chain, head_of
from promoter.ledger.testing import LedgerContract, write
from promoter.model.errors import HeadMoved, LedgerError
from tests.adapters.ledgers.postgres_server import Server, serving

NOW = datetime(2026, 11, 23, 18, 20, 11, tzinfo=UTC)
DRAFT = FactDraft(Kind.STEP_DONE, "ana@example.com", "dev")


@pytest.fixture(scope="module")
def server(postgres_programs: Path) -> Iterator[Server]:
    with serving(postgres_programs) as made:
        yield made


@pytest.fixture
def database(server: Server, unique: str) -> Iterator[str]:
    server.ask(f"CREATE DATABASE {unique}")
    yield unique
    server.ask(f"DROP DATABASE {unique} WITH (FORCE)")


@pytest.fixture
def open_one(server: Server, database: str) -> Iterator[Callable[..., PostgresLedger]]:
    made: list[PostgresLedger] = []

    def opened(pipeline: str = "shop", url: str | None = None, attempts: int = 8) -> PostgresLedger:
        made.append(PostgresLedger(url or server.url(database), pipeline, Retry(attempts=attempts)))
        return made[-1]

    yield opened
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(open_one: Callable[..., PostgresLedger]) -> PostgresLedger:
    return open_one()


class TestContract(LedgerContract):
    pass


# ---------------------------------------------------------------- what is created, and when
def test_reading_makes_nothing(server, database, ledger):
    assert (list(ledger.read()), ledger.held()) == ([], ())
    with psycopg.connect(server.url(database)) as connection:
        assert connection.execute("SELECT to_regclass('promoter.facts')").fetchone() == (None,)


def test_two_pipelines_have_two_chains_in_one_database(open_one):
    shop, blog = open_one("shop"), open_one("blog")
    write(shop, 3)
    assert [fact.seq for fact in write(blog, 2)] == [1, 2]
    shop.acquire("prod", "run 1", timedelta(minutes=1), NOW)
    assert blog.acquire("prod", "run 2", timedelta(minutes=1), NOW).token == 1
    assert (len(list(shop.read())), len(list(blog.read()))) == (3, 2)
    assert shop.location != blog.location


def test_processes_that_make_it_at_once_make_it_once(open_one):
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda n: open_one(f"p{n}").acquire("dev", "run", timedelta(minutes=1), NOW), range(8)))
    assert [lease.token for lease in leases] == [1] * 8


def test_the_form_of_a_newer_promoter_is_refused_and_left_alone(server, database, open_one):
    write(open_one(), 1)
    server.ask("UPDATE promoter.version SET number = 99", database=database)
    for act in (lambda: list(open_one().read()), lambda: write(open_one(), 1)):
        with pytest.raises(LedgerError, match="newer promoter: its format is 99") as error:
            act()
        assert "upgrade promoter" in (error.value.hint or "")


# ---------------------------------------------------------------- many writers
RACE = """
import sys
from datetime import UTC, datetime
from promoter.adapters.ledgers.postgres.store import PostgresLedger
from promoter.model.errors import HeadMoved
from promoter.ledger.chain import FactDraft, LedgerHead, Kind, head_of
ledger, done, head = PostgresLedger(sys.argv[1], "shop"), 0, LedgerHead()
while done < 25:
    for fact in ledger.read(head.seq):
        head = head_of(fact)
    try:
        head = head_of(ledger.append(FactDraft(Kind.STEP_DONE, sys.argv[2], body={"n": done}), head, datetime.now(UTC)))
    except HeadMoved:
        continue
    done += 1
"""


def test_eight_processes_race_and_lose_nothing(server, database, ledger):
    racers = [subprocess.Popen([sys.executable, "-c", RACE, server.url(database), f"run {n}"]) for n in range(8)]
    assert [racer.wait(timeout=60) for racer in racers] == [0] * 8
    facts = [fact for fact in check_chain(ledger.lines()) if isinstance(fact, Fact)]
    assert len(facts) == 200
    for n in range(8):
        assert [fact.body["n"] for fact in facts if fact.actor == f"run {n}"] == list(range(25))


# ---------------------------------------------------------------- a server that goes away
def test_a_server_that_is_started_again_is_found_again(postgres_programs):
    with serving(postgres_programs) as server:
        ledger = PostgresLedger(server.url("postgres"), "shop")
        first = write(ledger, 3)
        lease = ledger.acquire("dev", "run", timedelta(minutes=1), NOW)
        for how in (signal.SIGINT, signal.SIGQUIT):
            server.stop(how)
            with ThreadPoolExecutor(1) as pool:
                read = pool.submit(lambda: list(ledger.read()))
                server.start()
                assert read.result() == first
            first += write(ledger, 1)
            ledger.renew(lease, timedelta(minutes=1), NOW)
        ledger.close()


def test_what_was_answered_survives_a_server_that_is_killed(postgres_programs):
    """With `synchronous_commit = off` on the server: each append requests it."""
    with serving(postgres_programs) as server:
        ledger = PostgresLedger(server.url("postgres"), "shop")
        answered: list[Fact] = []
        for _ in range(3):
            answered += write(ledger, 20)
            server.stop(signal.SIGQUIT)
            server.start()
            assert list(ledger.read()) == answered
        ledger.close()


class Cutting:
    """A proxy to the server that closes the connection at a word of the client: before the server gets it, after it gets it,
    or after the server has executed it.
    """

    def __init__(self, port: int) -> None:
        self._port, self.cut_before, self.cut_received, self.cut_after = port, b"", b"", b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        deaf = threading.Event()
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            back = threading.Thread(target=self._back, args=(server, client, deaf), daemon=True)
            back.start()
            while data := client.recv(65536):
                if self.cut_before and self.cut_before in data:
                    self.cut_before = b""
                    break
                if self.cut_received and self.cut_received in data:
                    self.cut_received = b""
                    server.sendall(data)
                    break
                if self.cut_after and self.cut_after in data:
                    self.cut_after = b""
                    deaf.set()
                    server.sendall(data)
                    back.join(timeout=10)  # the server has executed it, and no client gets the answer
                    break
                server.sendall(data)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join(timeout=10)

    @staticmethod
    def _back(server: socket.socket, client: socket.socket, deaf: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if deaf.is_set():
                    return
                client.sendall(data)


@pytest.mark.parametrize("side", ["cut_before", "cut_after"])
def test_an_append_whose_commit_was_cut_off_is_written_exactly_once(server, database, open_one, side):
    proxy = Cutting(server.port)
    try:
        ledger = open_one(url=server.url(database).replace(f":{server.port}/", f":{proxy.port}/"))
        written = write(ledger, 2)
        setattr(proxy, side, b"COMMIT")
        written += [ledger.append(DRAFT, head_of(written[-1]), NOW)]
        assert getattr(proxy, side) == b""
        assert list(open_one().read()) == written
    finally:
        proxy.close()


SLOW_COMMIT = """
CREATE FUNCTION promoter.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dawdles AFTER INSERT ON promoter.facts DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.seq = 3) EXECUTE FUNCTION promoter.dawdle();
"""


def test_a_commit_that_is_still_on_its_way_when_the_append_is_given_again_is_one_fact(server, database, open_one):
    """The server does not notice that the client is gone: it commits while the second try waits for the same position."""
    proxy = Cutting(server.port)
    try:
        ledger = open_one(url=server.url(database).replace(f":{server.port}/", f":{proxy.port}/"))
        written = write(ledger, 2)
        server.ask(SLOW_COMMIT, database=database)
        proxy.cut_received = b"COMMIT"
        written += [ledger.append(DRAFT, head_of(written[-1]), NOW)]
        assert proxy.cut_received == b""
        assert list(open_one().read()) == written
    finally:
        proxy.close()


def test_a_lease_whose_response_was_lost_names_the_earlier_owner(server, database, open_one):
    open_one().acquire("prod", "run 1", timedelta(minutes=1), NOW)
    proxy = Cutting(server.port)
    try:
        ledger = open_one(url=server.url(database).replace(f":{server.port}/", f":{proxy.port}/"))
        list(ledger.read())
        proxy.cut_after = b"COMMIT"
        lease = ledger.acquire("prod", "run 2", timedelta(minutes=1), NOW + timedelta(minutes=1))
        assert (proxy.cut_after, lease.took_over) == (b"", "run 1")
        ledger.renew(lease, timedelta(minutes=1), NOW + timedelta(minutes=1))
    finally:
        proxy.close()


def test_a_fact_of_another_writer_at_the_position_of_a_lost_append_is_reported(server, database, open_one):
    proxy = Cutting(server.port)
    try:
        ledger = open_one(url=server.url(database).replace(f":{server.port}/", f":{proxy.port}/"), attempts=1)
        first = write(ledger, 1)[0]
        proxy.cut_before = b"COMMIT"
        with pytest.raises(LedgerError) as error:
            ledger.append(DRAFT, head_of(first), NOW)
        assert error.value.retryable
        open_one().append(FactDraft(Kind.STEP_DONE, "ben@example.com"), head_of(first), NOW)
        with pytest.raises(HeadMoved):
            ledger.append(DRAFT, head_of(first), NOW)
    finally:
        proxy.close()


# ---------------------------------------------------------------- user errors
def test_a_closed_port_raises_a_retryable_error(free_port):
    ledger = PostgresLedger(f"postgresql://ana:hunter2@127.0.0.1:{free_port()}/shop", "shop", Retry(attempts=1))
    with pytest.raises(LedgerError, match="cannot be reached") as error:
        list(ledger.read())
    assert error.value.retryable and "hunter2" not in error.value.message + ledger.location


def test_passwords_come_from_the_sources_of_libpq_and_a_wrong_one_is_reported(server, database, open_one, tmp_path, monkeypatch):
    server.ask(f"CREATE ROLE {database} LOGIN PASSWORD 'right'", f"GRANT CREATE ON DATABASE {database} TO {database}")
    try:
        url = server.url(database, user=database)
        monkeypatch.setenv("PGPASSWORD", "hunter2")
        with pytest.raises(LedgerError, match="does not accept these credentials") as error:
            list(open_one(url=url).read())
        assert "PGPASSWORD" in (error.value.hint or "") and "hunter2" not in error.value.message
        monkeypatch.setenv("PGPASSWORD", "right")
        assert len(write(open_one(url=url), 2)) == 2
        monkeypatch.delenv("PGPASSWORD")
        (tmp_path / "pgpass").write_text(f"127.0.0.1:{server.port}:{database}:{database}:right\n")
        (tmp_path / "pgpass").chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
        assert len(list(open_one(url=url).read())) == 2
    finally:
        server.ask(f"DROP OWNED BY {database}", database=database)
        server.ask(f"REVOKE ALL ON DATABASE {database} FROM {database}", f"DROP ROLE {database}")


def test_missing_rights_and_missing_databases_are_named(server, database, open_one):
    with pytest.raises(LedgerError, match='database "nowhere" does not exist'):
        list(open_one(url=server.url("nowhere")).read())
    server.ask(f"CREATE ROLE {database} LOGIN SUPERUSER", f"ALTER ROLE {database} NOSUPERUSER PASSWORD 'x'")
    try:
        os.environ["PGPASSWORD"] = "x"
        with pytest.raises(LedgerError, match="refuses access: permission denied") as error:
            write(open_one(url=server.url(database, user=database)), 1)
        assert "CREATE on the database" in (error.value.hint or "")
        write(open_one(), 1)
        server.ask(
            f"GRANT USAGE ON SCHEMA promoter TO {database}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA promoter TO {database}",
            database=database,
        )
        reader = open_one(url=server.url(database, user=database))
        assert len(list(reader.read())) == 1
        with pytest.raises(LedgerError, match="permission denied"):
            reader.append(DRAFT, head_of(next(iter(reader.read()))), NOW)
    finally:
        del os.environ["PGPASSWORD"]
        server.ask(f"DROP OWNED BY {database}", database=database)
        server.ask(f"DROP ROLE {database}")


def test_tls_is_asked_for_as_libpq_does(postgres_programs, tmp_path):
    with serving(postgres_programs) as server:
        data = server.home / "data"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                data / "server.key",
                "-out",
                data / "server.crt",
            ],
            check=True,
            capture_output=True,
        )
        (data / "server.key").chmod(0o600)
        for name in ("server.key", "server.crt"):
            os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
        server.stop()
        server.start("-c", "ssl=on")
        (tmp_path / "root.crt").write_bytes((data / "server.crt").read_bytes())
        trusted = server.url("postgres", sslmode="verify-full", sslrootcert=str(tmp_path / "root.crt"))
        ledger = PostgresLedger(trusted, "shop")
        assert len(write(ledger, 1)) == 1
        ledger.close()
        (tmp_path / "other.crt").write_text("")
        stranger = server.url("postgres", sslmode="verify-full", sslrootcert=str(tmp_path / "other.crt"))
        with pytest.raises(LedgerError, match="was not trusted") as error:
            list(PostgresLedger(stranger, "shop").read())
        assert "sslrootcert" in (error.value.hint or "")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:hunter2@db.example.com:5433/ledger?sslpassword=hunter3",
        "postgres://ana:hunter2@db.example.com:5433/ledger",
    ],
)
def test_no_password_is_ever_shown(url):
    shown = open_ledger(url, Path("here"), "shop").location
    assert shown == "postgresql:host=db.example.com port=5433 dbname=ledger user=ana (shop)" or all(
        word in shown for word in ("db.example.com", "5433", "ledger", "ana", "(shop)")
    )
    assert "hunter" not in shown
    assert without_password("postgresql://[") == "postgresql://…"


def test_a_row_that_was_changed_is_noticed(server, database, open_one):
    write(open_one(), 3)
    server.ask(
        "UPDATE promoter.facts SET line = convert_to(replace(convert_from(line, 'UTF8'), 'ana@', 'eve@'), 'UTF8') WHERE seq = 2",
        database=database,
    )
    with pytest.raises(LedgerError, match="is broken: fact 2"):
        list(open_one().read())
    assert any(not isinstance(found, Fact) for found in check_chain(open_one().lines()))


def test_a_reader_that_is_slow_holds_nothing(server, database, open_one):
    write(open_one(), 3)
    slow = open_one().read()
    next(slow)
    server.ask("SET lock_timeout = '1s'", "ALTER TABLE promoter.facts ADD COLUMN more text", database=database)
    assert [fact.seq for fact in slow] == [2, 3]
