"""The databases as a whole: migrating, looking, backing up, restoring, copying; on both engines."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import stat

import pytest

from cli.terminal import Cloudmeet
from conftest import fresh_databases
from contract.client import PASSWORD

KEPT = {"accounts", "rooms", "participants", "messages", "api_keys", "deeds"}


class Place:
    """An installation without a server: files in a directory, or two databases of Postgres."""

    def __init__(self, home: pathlib.Path, name: str, databases: dict[str, str]) -> None:
        self.databases = databases
        self.directory = home / name
        self.cli = Cloudmeet(home, "--direct", DATA_DIR=str(self.directory), **databases)
        if databases:
            self.destination = ["--to-auth-database-url", databases["AUTH_DATABASE_URL"],
                                "--to-conference-database-url", databases["CONFERENCE_DATABASE_URL"]]
        else:
            self.destination = ["--to-data-dir", str(self.directory)]

    def rows(self) -> dict[str, int]:
        return {table: rows for part in self.cli.json("db", "status") for table, rows in part["rows"].items()}


@pytest.fixture
def place(request, tmp_path):
    """Makes places of an engine: `place("sqlite", "here")`."""

    def make(engine: str, name: str) -> Place:
        databases = fresh_databases(request.getfixturevalue("postgres")) if engine == "postgres" else {}
        return Place(tmp_path, name, databases)

    return make


def furnish(place: Place) -> None:
    cli = place.cli
    cli.run("db", "migrate")
    cli.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--admin", "--password-stdin", stdin=PASSWORD)
    cli.run("users", "create", "--email", "bob@example.org", "--name", "Bób 田中", "--no-password")
    cli.run("rooms", "create", "Weekly", "--owner", "ann@example.org", "--slug", "weekly", "--capacity", 7)
    cli.run("--as", "bob@example.org", "rooms", "join", "weekly")
    for number in range(5):
        cli.run("--as", "bob@example.org", "chat", "send", "weekly", f"message {number} 😀\n\t")
    cli.run("api-keys", "create", "operator")
    cli.run("rooms", "ban", "weekly", "2", "--as", "ann@example.org")


def everything(place: Place) -> dict:
    """What an installation says of itself."""
    as_ann = place.cli.with_flags("--as", "ann@example.org")
    return {
        "users": place.cli.json("users", "list"),
        "rooms": as_ann.json("rooms", "list", "--all"),
        "messages": as_ann.json("chat", "history", "weekly", "--after", 0),
        "banned": [one["user_id"] for one in as_ann.json("rooms", "participants", "weekly", "--banned")],
        "keys": place.cli.json("api-keys", "list"),
        "deeds": place.cli.json("audit", "--limit", 100),
    }


ENGINES = pytest.mark.parametrize("engine", ["sqlite", "postgres"])


@ENGINES
def test_a_database_says_what_it_has_and_lacks_and_nothing_is_made_by_looking(place, engine):
    here = place(engine, "here")
    before = here.cli.json("db", "status")
    assert [part["part"] for part in before] == ["auth", "conference"]
    assert all(part["pending"] and not part["applied"] and part["engine"] == engine for part in before)
    assert not here.directory.exists()
    if engine == "postgres":
        assert "cloudmeet db migrate" in here.cli.refused("users", "list")
        url = here.databases["AUTH_DATABASE_URL"]
        secret = url.split("://", 1)[1].split("@")[0]
        assert secret not in here.cli.text("db", "status")
    migrated = here.cli.json("db", "migrate")
    assert [part["applied"] for part in migrated] == [[one["version"] for one in part["pending"]] for part in before]
    assert [part["applied"] for part in here.cli.json("db", "migrate")] == [[], []]
    after = here.cli.json("db", "status")
    assert all(not part["pending"] and part["applied"] and part["bytes"] > 0 for part in after)
    assert "up to date" in here.cli.text("db", "status")
    assert here.rows().keys() >= KEPT


def test_an_empty_directory_is_migrated_by_its_first_use(place):
    here = place("sqlite", "here")
    assert here.cli.json("users", "list") == []
    assert all(not part["pending"] for part in here.cli.json("db", "status"))


@ENGINES
def test_a_backup_comes_back_as_it_was(place, engine, tmp_path):
    here, there = place(engine, "here"), place(engine, "there")
    furnish(here)
    before = everything(here)
    file = tmp_path / "cloudmeet.backup"
    told = here.cli.json("db", "backup", file)
    assert told["bytes"] == file.stat().st_size and told["manifest"]["auth"]["engine"] == engine
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*partial*"))
    if engine == "sqlite":
        assert {stat.S_IMODE(path.stat().st_mode) for path in here.directory.glob("*.db")} == {0o600}
    assert "already" in here.cli.refused("db", "backup", file) or "exists" in here.cli.refused("db", "backup", file)

    there.cli.run("db", "restore", file)
    assert everything(there) == before
    # What is new gets numbers that were never given.
    made = there.cli.json("users", "create", "--email", "new@example.org", "--name", "New", "--no-password")
    assert made["id"] == 3
    assert there.cli.json("--as", "ann@example.org", "chat", "send", "weekly", "next")["seq"] == 6
    assert "empty" in there.cli.refused("db", "restore", file)


@ENGINES
def test_a_backup_that_is_none_or_not_whole_is_refused_and_leaves_nothing(place, engine, tmp_path):
    here, there = place(engine, "here"), place(engine, "there")
    furnish(here)
    file = tmp_path / "cloudmeet.backup"
    here.cli.run("db", "backup", file)
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    bad = {"empty": b"", "foreign": b"PK\x03\x04" + b"x" * 5000, "truncated": whole[: len(whole) * 2 // 3],
           "cut at the end": whole[:-2048], "flipped": bytes(flipped)}
    for name, content in bad.items():
        file.write_bytes(content)
        there.cli.refused("db", "restore", file)
        assert not any(there.rows().values()) and not list(there.directory.glob("*")), name
    there.cli.refused("db", "restore", tmp_path / "nowhere")
    there.cli.refused("db", "restore", "-", code=2)
    here.cli.refused("db", "backup", "-", code=2)
    os.mkfifo(tmp_path / "pipe")
    assert "no backup" in there.cli.refused("db", "restore", tmp_path / "pipe")
    file.write_bytes(whole)
    there.cli.run("db", "restore", file)
    assert there.rows() == here.rows()


def test_a_backup_of_the_other_engine_says_how_to_go_on(place, tmp_path):
    here, there = place("sqlite", "here"), place("postgres", "there")
    furnish(here)
    here.cli.run("db", "backup", tmp_path / "file")
    assert "db copy" in there.cli.refused("db", "restore", tmp_path / "file")


def test_an_installation_moves_to_postgres_and_back(place):
    here, there, back = place("sqlite", "here"), place("postgres", "there"), place("sqlite", "back")
    furnish(here)
    copied = here.cli.json("db", "copy", *there.destination)
    assert [part["was_there"] for part in copied] == [False, False]
    assert everything(there) == everything(here)
    # Done again, it finds all in its place.
    assert all(part["was_there"] for part in here.cli.json("db", "copy", *there.destination))
    there.cli.run("db", "copy", *back.destination)
    assert everything(back) == everything(here)
    made = there.cli.json("users", "create", "--email", "new@example.org", "--name", "New", "--no-password")
    assert made["id"] == 3
    assert here.cli.refused("db", "copy", *there.destination)


def test_a_copy_needs_one_destination(place):
    here = place("sqlite", "here")
    furnish(here)
    here.cli.refused("db", "copy", code=2)
    here.cli.refused("db", "copy", "--to-auth-database-url", "postgres://x/y", code=2)
    here.cli.refused("db", "copy", "--to-data-dir", "x", "--to-database-url", "postgres://x/y", code=2)
    assert "onto itself" in here.cli.refused("db", "copy", *here.destination, code=2)
    (here.directory.parent / "link").symlink_to(here.directory)
    assert "onto itself" in here.cli.refused("db", "copy", "--to-data-dir", here.directory.parent / "link", code=2)


def test_ctrl_c_leaves_nothing_of_a_backup_and_a_copy_ends_right_when_it_is_started_again(place, tmp_path):
    here, there = place("sqlite", "here"), place("sqlite", "there")
    furnish(here)
    # So much that there is time to interrupt.
    with sqlite3.connect(here.directory / "conference.db") as database:
        database.execute(
            "INSERT INTO messages (room_id, seq, user_id, content, created_at, rev) "
            "WITH RECURSIVE n(i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) "
            "SELECT 1, i, 1, 'text of message ' || i, 0, 0 FROM n"
        )
        database.execute("UPDATE rooms SET last_seq = 200000")
    copying = here.cli.terminal("db", "copy", *there.destination)
    copying.wait_for("Copying rooms")
    copying.interrupt()
    copying.end(code=130)
    assert [path.name for path in there.directory.glob("conference*")] == []
    here.cli.run("db", "copy", *there.destination)
    assert there.rows() == here.rows() and there.rows()["messages"] == 200000

    backing = here.cli.terminal("db", "backup", tmp_path / "file")
    backing.wait_for("rooms")
    backing.interrupt()
    backing.end(code=130)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("file")] == []
    assert list(here.directory.glob("*.backup*")) == []


def test_progress_is_for_terminals(place, tmp_path):
    here = place("sqlite", "here")
    furnish(here)
    done = here.cli.run("db", "backup", tmp_path / "one")
    assert done.stderr == ""
    shown = here.cli.terminal("db", "backup", tmp_path / "two").end()
    assert "Wrote" in shown


def test_a_backup_follows_no_link_and_is_its_owners_alone(place, tmp_path):
    here = place("sqlite", "here")
    furnish(here)
    other = tmp_path / "other"
    other.write_text("somebody else's")
    (tmp_path / "file.partial").symlink_to(other)
    assert "link" in here.cli.refused("db", "backup", tmp_path / "file")
    assert other.read_text() == "somebody else's" and not (tmp_path / "file").exists()
    (tmp_path / "file.partial").unlink()
    (tmp_path / "file.partial").touch(0o644)
    here.cli.run("db", "backup", tmp_path / "file")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_another_programs_file_is_left_alone(place):
    here = place("sqlite", "here")
    here.directory.mkdir(0o700)
    with sqlite3.connect(here.directory / "auth.db") as database:
        database.execute("CREATE TABLE moz_places (id INTEGER)")
    for words in (["users", "list"], ["db", "migrate"], ["db", "status"]):
        assert "another program's" in here.cli.refused(*words)
    with sqlite3.connect(here.directory / "auth.db") as database:
        assert [name for (name,) in database.execute("SELECT name FROM sqlite_schema")] == ["moz_places"]


def test_many_may_be_the_first_at_once(place):
    here = place("sqlite", "here")
    started = [here.cli.start("users", "create", "--email", f"u{number}@example.org", "--name", f"User {number}",
                              "--no-password") for number in range(6)]
    for one in started:
        _, err = one.communicate(timeout=30)
        assert one.returncode == 0, err
    assert len(here.cli.json("users", "list")) == 6


def test_keys_rotate_and_databases_are_no_servers_business(place):
    here = place("sqlite", "here")
    here.cli.run("db", "migrate")
    assert "signs access tokens in" in here.cli.text("db", "rotate-keys")
    other = Cloudmeet(here.cli.home, "--server", "http://127.0.0.1:1")
    assert "directly" in other.refused("db", "status", code=2)
    assert json.loads(here.cli.text("-o", "json", "db", "status"))
