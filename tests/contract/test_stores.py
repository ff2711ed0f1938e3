"""A Postgres that is not there, not ours, not writable or not one at all: the start stops and says what to do."""

from __future__ import annotations

import concurrent.futures
import contextlib
import re
import socket
import threading
import time

import httpx
import psycopg
import pytest

from conftest import fresh_databases
from contract.client import Person, problem, wait_until
from harness.postgres import Cluster
from harness.proxy import Proxy
from harness.server import INNER, Server, run_to_end

PASSWORD = "hunter22-the-password-of-a-database"
# Roles with a database of their own, and the setting that names it.
STORED = {"auth": "AUTH_DATABASE_URL", "conference": "CONFERENCE_DATABASE_URL"}
AUTH_AWAY = {"AUTH_SERVICE_URL": "http://127.0.0.1:9"}


def refused(*words: str, **settings: object) -> None:
    """Checks that a start is refused with one line that has these words, and no password."""
    ended = run_to_end(timeout=60, **settings)
    assert ended.returncode == 1, ended.stderr
    assert "panicked" not in ended.stderr and PASSWORD not in ended.stderr, ended.stderr
    # What was logged before stands there too.
    lines = [line for line in ended.stderr.strip().splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
    assert len(lines) == 1 and lines[0].startswith("cloudmeet-api-server: "), ended.stderr
    missing = [word for word in words if word not in lines[0]]
    assert not missing, f"{missing} not in {lines[0]}"
    # Said once, and not again as its own cause.
    said = lines[0].removeprefix("cloudmeet-api-server: ").split(": ")
    assert len(said) == len(set(said)), lines[0]


def refused_in_each_role(url: str, *words: str) -> None:
    for role, name in STORED.items():
        refused(name, *words, **INNER | AUTH_AWAY | {"ROLE": role, name: url})
    refused("AUTH_DATABASE_URL", *words, AUTH_DATABASE_URL=url, CONFERENCE_DATABASE_URL=url)
    refused("DATABASE_URL", *words, DATABASE_URL=url)


@pytest.fixture(scope="module")
def users(postgres):
    """A cluster that asks `ann` for a password; databases are made by the superuser."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'")
    rules = postgres.data / "pg_hba.conf"
    rules.write_text("host all ann 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    reload(postgres)
    return postgres


def reload(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
        while connection.execute("SELECT count(*) FROM pg_hba_file_rules WHERE user_name = '{ann}'").fetchone()[0] == 0:
            time.sleep(0.05)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_database_that_does_not_exist_is_named_with_how_to_make_it(postgres):
    refused_in_each_role(postgres.url("nothing_here"), "nothing_here", "does not exist", "CREATE DATABASE")


def test_who_is_not_let_in_is_told_where_user_and_password_are_set(users):
    wrong = f"postgres://ann:{PASSWORD}-wrong@127.0.0.1:{users.port}/postgres"
    refused_in_each_role(wrong, "password authentication failed", "ann")
    refused("DATABASE_URL", "nobody_here", DATABASE_URL=f"postgres://nobody_here:{PASSWORD}@127.0.0.1:{users.port}/postgres")
    parts = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": users.port, "POSTGRES_USER": "ann"}
    refused("POSTGRES_PASSWORD", "ann", **parts | {"POSTGRES_PASSWORD": PASSWORD + "-wrong"})


def test_who_may_not_make_tables_is_told_so(users):
    url = users.create_database("not_anns").replace("postgres@", f"ann:{PASSWORD}@")
    refused("DATABASE_URL", "permission denied", "GRANT", DATABASE_URL=url)


def test_a_database_that_is_read_only_is_not_taken_into_use(postgres):
    for name in ("read_only", "read_only_later"):
        url = postgres.create_database(name)
        if name.endswith("later"):
            with Server(DATABASE_URL=url) as server:
                assert server.terminate() == 0
        execute(postgres.url(), f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        refused("DATABASE_URL", "read-only", DATABASE_URL=url)


@pytest.mark.parametrize("role", STORED)
def test_a_database_of_a_newer_release_or_a_changed_one_is_left_alone(postgres, role):
    databases = fresh_databases(postgres)
    with Server(**databases) as server:
        assert server.terminate() == 0
    url, table = databases[STORED[role]], f"{role}_migrations"
    settings = INNER | AUTH_AWAY | {"ROLE": role, STORED[role]: url}
    columns = "description, installed_on, success, checksum, execution_time"
    execute(url, f"INSERT INTO {table} (version, {columns}) SELECT 9999, {columns} FROM {table} LIMIT 1")
    refused(STORED[role], "9999", "newer release", "restore a backup", **settings)
    execute(url, f"DELETE FROM {table} WHERE version = 9999", f"UPDATE {table} SET checksum = '\\x00' WHERE version = 1")
    refused(STORED[role], "migration 1", **settings)
    execute(url, f"UPDATE {table} SET success = false WHERE version = 1")
    refused(STORED[role], "1", **settings)


@contextlib.contextmanager
def listener(answer: bytes | None):
    """Something that is no Postgres: it says the same to everybody, or nothing for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def attend(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                connection.recv(100)
                if answer is None:
                    over.wait(60)
                else:
                    connection.sendall(answer)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=attend, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"postgres://ann:{PASSWORD}@127.0.0.1:{listening.getsockname()[1]}/x"
        over.set()


NO_POSTGRES = {
    "ssh": b"SSH-2.0-OpenSSH_9.9\r\n", "http": b"HTTP/1.1 400 Bad Request\r\n\r\n", "zeros": b"\0" * 64,
    "a length beyond all": b"NR\xff\xff\xff\xff" + b"x" * 100, "an end": b"", "silence": None,
}


def test_what_is_no_postgres_is_not_taken_for_one():
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(len(NO_POSTGRES)) as pool:
        # At once, because one waits as long as a database may take.
        urls = [stack.enter_context(listener(answer)) for answer in NO_POSTGRES.values()]
        for trying in [pool.submit(refused, "DATABASE_URL", DATABASE_URL=url) for url in urls]:
            trying.result()


def test_an_address_that_leads_nowhere_is_named(postgres):
    wrong = [
        (f"postgres://ann:{PASSWORD}@127.0.0.1:9/x", "refused"), (f"postgres://ann:{PASSWORD}@no-such-host.invalid/x", "no-such-host.invalid"),
        (f"postgres://ann:{PASSWORD}@127.0.0.1:99999/x", "URL"),
        (postgres.url() + "?sslmode=banana", "banana"), (postgres.url() + "?sslmode=require", "TLS"),
        (postgres.url() + "?sslmode=verify-full&sslrootcert=/no/such/file", "TLS"),
        (postgres.url() + "?sslmoed=require", "sslmoed"),
    ]
    # At once, because what may come yet is waited for.
    with concurrent.futures.ThreadPoolExecutor(len(wrong) + 1) as pool:
        trying = [pool.submit(refused, "DATABASE_URL", word, DATABASE_URL=url) for url, word in wrong]
        parts = {"POSTGRES_HOST": "no-such-host.invalid", "POSTGRES_PASSWORD": PASSWORD}
        trying.append(pool.submit(refused, "POSTGRES_HOST", **parts))
        for one in trying:
            one.result()


def test_a_server_that_waits_for_its_database_can_be_stopped():
    server = Server(DATABASE_URL="postgres://ann@127.0.0.1:9/x")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        starting = pool.submit(server.start)
        wait_until(lambda: server.log.exists() and "trying for" in server.read_log())
        assert server.terminate() == 0
        with pytest.raises(RuntimeError, match="ended with 0"):
            starting.result()
    server.close()


def test_a_server_that_is_there_before_its_database_waits_for_it():
    cluster = Cluster()
    cluster.start()
    try:
        databases = fresh_databases(cluster)
        cluster.stop()
        server = Server(**INNER | databases | {"ROLE": "auth", "RATE_LIMITS": "off"})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            starting = pool.submit(server.start)
            waits = re.compile(r"AUTH_DATABASE_URL .*refused.*trying for")
            wait_until(lambda: server.log.exists() and waits.search(server.read_log()))
            assert not starting.done()
            cluster.start()
            starting.result()
        Person(server, "Ann").close()
        server.close()
    finally:
        cluster.destroy()


def test_connections_that_postgres_ends_cost_a_call_each_at_most_and_no_message(postgres):
    fresh = fresh_databases(postgres)
    with Server(RATE_LIMITS="off", **fresh) as server:
        ann = Person(server, "Ann")
        room = ann.room()
        for turn in range(3):
            ann.say(room, f"before {turn}")
            # The reader and the writers keep their connections while they are busy: these end, too.
            with psycopg.connect(fresh["CONFERENCE_DATABASE_URL"], autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                   "WHERE datname = current_database() AND pid <> pg_backend_pid()")
            refused = 0
            while (answer := ann.post(f"/api/rooms/{room}/messages", content=f"after {turn}", client_msg_id=str(turn))).is_error:
                assert answer.status_code == 503, answer.text
                refused += 1
                # One a connection: only those that were busy a moment ago are taken without a look.
                assert refused <= 16
        page = ann.get(f"/api/rooms/{room}/messages").json()
        said = [message["content"] for message in page["messages"]]
        assert said == [f"{when} {turn}" for turn in range(3) for when in ("before", "after")]
        ann.close()


def test_a_list_is_refused_in_time_while_the_store_is_silent(postgres):
    fresh = fresh_databases(postgres)
    with Proxy(postgres.port).start() as proxy:
        through = {name: proxy.url(url) for name, url in fresh.items()}
        with Server(RATE_LIMITS="off", **through) as server:
            ann = Person(server, "Ann")
            room = ann.room()
            assert [one["id"] for one in ann.get("/api/rooms").json()] == [room]
            proxy.black_hole()
            answer = httpx.get(server.url + "/api/rooms", headers=dict(ann.http.headers), timeout=40)
            problem(answer, 503, "unavailable")
            proxy.heal()
            wait_until(lambda: ann.get("/api/rooms").status_code == 200)
            ann.close()
