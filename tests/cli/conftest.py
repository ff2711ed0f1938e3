"""Installations for the terminal's tests: on both stores, from both sides."""

from __future__ import annotations

import pytest

from cli.terminal import Cloudmeet
from conftest import fresh_databases
from contract.client import PASSWORD, Person, first_administrator
from harness.server import Server


class Installation:
    """A server that runs, and the program on one of its sides: asking it, or beside it on its databases."""

    def __init__(self, server: Server, cli: Cloudmeet, side: str, administrator: Person) -> None:
        self.server = server
        self.cli = cli
        self.side = side
        self.administrator = administrator

    def person(self, name: str) -> Person:
        return Person(self.server, name)

    def acting(self, person: Person) -> Cloudmeet:
        """The program as somebody: logged in, or by `--as`."""
        if self.side == "direct":
            return self.cli.with_flags("--as", person.email)
        profile = self.cli.with_flags("--profile", f"p{person.id}")
        profile.run("login", "--server", self.server.url, "--email", person.email, "--password-stdin", stdin=PASSWORD)
        return profile


@pytest.fixture(scope="module", params=["sqlite direct", "sqlite server", "postgres direct", "postgres server"])
def installation(request, tmp_path_factory):
    store, side = request.param.split()
    settings = fresh_databases(request.getfixturevalue("postgres")) if store == "postgres" else {}
    with Server(RATE_LIMITS="off", REGISTRATION="open", **settings) as server:
        administrator = first_administrator(server)
        home = tmp_path_factory.mktemp("home")
        if side == "direct":
            cli = Cloudmeet(home, "--direct", DATA_DIR=str(server.home / "data"), **settings)
        else:
            cli = Cloudmeet(home)
            login = ["login", "--server", server.url, "--email", administrator.email, "--password-stdin"]
            cli.run(*login, stdin=PASSWORD)
        yield Installation(server, cli, side, administrator)
        administrator.close()


@pytest.fixture
def direct(tmp_path):
    """The program on a data directory of its own, with no server anywhere."""
    return Cloudmeet(tmp_path, "--direct", "--data-dir", str(tmp_path / "data"))
