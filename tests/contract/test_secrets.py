"""Secrets: weak, known or carelessly kept ones stop the start in every role, and none is ever printed."""

from __future__ import annotations

import os
import re

import httpx
import pytest

from conftest import fresh_databases
from contract.client import Socket, unique_email
from harness.redis import Redis
from harness.server import INNER, Server, run_to_end

GOOD = "a-good-one-that-nobody-guesses-0123456789"
UPSTREAMS = {"AUTH_SERVICE_URL": "http://127.0.0.1:9", "CONFERENCE_SERVICE_URL": "http://127.0.0.1:9"}
# What a role needs to start, without the secret that is tried.
ROLES = {"all": {}, "gateway": UPSTREAMS, "auth": {}, "conference": UPSTREAMS}

# Secrets that are none, and a word of the reason.
WEAK = {
    "short": ("hunter2", "32"),
    "a byte too short": ("k" * 31, "32"),
    "blanks": (" " * 40, "32"),
    "blanks around what is short": (" " * 20 + "short" + " " * 20, "32"),
    "the seed's default": ("super-secret-jwt-key-change-in-production", "example"),
    "the seed's default in capitals": ("SUPER-SECRET-JWT-KEY-CHANGE-IN-PRODUCTION", "example"),
    "the seed's default with underscores": ("super_secret_jwt_key_change_in_production", "example"),
    "the seed's default after a blank": (" super-secret-jwt-key-change-in-production", "example"),
    "the seed's production key": ("your-production-secret-key", "example"),
    "the seed's production key, made longer": ("your-production-secret-key-0123456789", "example"),
    "the seed's database password": ("cloudmeet_secret", "example"),
    "the seed's database password, made longer": ("cloudmeet_secret_cloudmeet_secret_1", "example"),
    "the seed's other database password": ("your-secure-password-0123456789-0123", "example"),
    "a reminder": ("change-me-change-me-change-me-change-me", "example"),
    "a reminder in one word": ("changemechangemechangemechangeme", "example"),
    "a reminder in the middle": ("please-change-me-before-you-go-live-1", "example"),
}


def refused(*words: str, secret: str = "", **settings: object) -> None:
    """Checks that a start is refused with one line that has these words and not the secret."""
    ended = run_to_end(timeout=5, **settings)
    said = ended.stderr + ended.stdout
    assert ended.returncode == 1 and "panicked" not in said, said
    # What was logged before stands there too.
    lines = [line for line in said.strip().splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
    assert len(lines) == 1 and lines[0].startswith("cloudmeet-api-server: "), said
    missing = [word for word in words if word not in lines[0]]
    assert not missing, f"{missing} not in {lines[0]}"
    assert not secret.strip() or secret.strip() not in said, "the secret is printed"


@pytest.mark.parametrize("what", WEAK)
def test_a_secret_that_is_none_stops_the_start_in_every_role_and_says_how_to_make_one(tmp_path, what):
    secret, reason = WEAK[what]
    for role, settings in ROLES.items():
        for name in ("JWT_SECRET_KEY", "INTERNAL_TOKEN"):
            tried = {"ROLE": role, "DATA_DIR": tmp_path / "data", "INTERNAL_TOKEN": GOOD, name: secret}
            refused(name, reason, "openssl rand -hex 32", secret=secret, **settings | tried)
    assert not (tmp_path / "data").exists(), "nothing is made before the secret is judged"


@pytest.mark.parametrize("role", ROLES)
def test_a_secret_of_a_file_is_judged_as_strictly(tmp_path, role):
    secret = tmp_path / "secret"
    settings = ROLES[role] | {"ROLE": role, "DATA_DIR": tmp_path / "data"}
    for name in ("JWT_SECRET_KEY", "INTERNAL_TOKEN"):
        from_file = settings | {"INTERNAL_TOKEN": GOOD, name: None, f"{name}_FILE": secret}
        secret.write_text("short\n")
        secret.chmod(0o600)
        refused(name, "32", **from_file)
        for content in ("", "\n"):
            secret.write_text(content)
            refused(f"{name}_FILE", str(secret), "empty", **from_file)
        secret.write_bytes(b"\xff" * 40)
        refused(f"{name}_FILE", str(secret), **from_file)
        secret.write_text(GOOD)
        for mode in (0o604, 0o620, 0o640, 0o660, 0o666, 0o777):
            secret.chmod(mode)
            refused(f"{name}_FILE", f"chmod 600 {secret}", secret=GOOD, **from_file)
        secret.chmod(0o600)
        refused(name, f"{name}_FILE", "both", secret=GOOD, **from_file | {name: GOOD})
        refused(f"{name}_FILE", str(tmp_path), **from_file | {f"{name}_FILE": tmp_path})
        refused(f"{name}_FILE", "/no/such", **from_file | {f"{name}_FILE": "/no/such"})


@pytest.mark.parametrize("role", ["auth", "conference"])
def test_services_without_what_they_know_each_other_by_do_not_start(tmp_path, role):
    settings = ROLES[role] | {"ROLE": role, "DATA_DIR": tmp_path / "data"}
    refused("INTERNAL_TOKEN", "openssl rand -hex 32", **settings)
    refused("INTERNAL_TOKEN", "openssl rand -hex 32", **settings | {"INTERNAL_TOKEN": ""})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_who_listens_to_others_without_a_public_address_does_not_start(tmp_path, host):
    for role in ("all", "gateway"):
        settings = ROLES[role] | {"ROLE": role, "HOST": host, "DATA_DIR": tmp_path / "data"}
        refused("PUBLIC_URL", host, "https://", **settings)
        for bad in (
            "meet.example.org", "ftp://meet.example.org", "https://", "https://u:hunter22@meet.example.org", "https://a.b/path", "javascript:x",
        ):
            refused("PUBLIC_URL", secret="hunter22", **settings | {"PUBLIC_URL": bad})
        refused("RATE_LIMITS", host, **settings | {"PUBLIC_URL": "https://a.b", "RATE_LIMITS": "off"})


def test_key_files_that_others_may_read_or_that_are_damaged_stop_the_start():
    with Server() as server:
        assert server.terminate() == 0
        key, data = server.home / "data" / "sealing.key", server.home / "data"
        assert (os.stat(key).st_mode & 0o777, os.stat(data).st_mode & 0o777) == (0o600, 0o700)
        for mode in (0o604, 0o640, 0o644):
            key.chmod(mode)
            refused(f"chmod 600 {key}", DATA_DIR=data)
        key.chmod(0o600)
        data.chmod(0o750)
        refused(f"chmod 700 {data}", DATA_DIR=data)
        data.chmod(0o700)
        kept = key.read_bytes()
        key.write_bytes(kept[:-1])
        refused(str(key), "31 bytes", "backup", DATA_DIR=data)
        key.write_bytes(kept[::-1])
        refused("signing key", "restore", DATA_DIR=data)
        refused("signing key", "INTERNAL_TOKEN", secret=GOOD, DATA_DIR=data, INTERNAL_TOKEN=GOOD)
        key.write_bytes(kept)
        server.start()


def test_a_wrong_setting_is_named_without_the_secrets_beside_it(tmp_path):
    secret = "hunter22-in-the-middle-of-a-long-address"
    for name, value in (
        ("DATABASE_URL", f"mysql://u:{secret}@db/x"), ("DATABASE_URL", f"postgres://u:{secret}@db:port/x"),
        ("AUTH_DATABASE_URL", f"{secret}"), ("CONFERENCE_DATABASE_URL", f"postgres//u:{secret}@db"),
        ("REDIS_URL", f"http://:{secret}@redis"), ("REDIS_URL", f"redis://:{secret}@"), ("REDIS_URL", f"redis://:{secret}@redis:port"),
        ("REDIS_URL", f"redis://:{secret}@redis/words"), ("AUTH_SERVICE_URL", f"http://u:{secret}@auth"), ("PUBLIC_URL", f"https://u:{secret}@a.b"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"https://u:{secret}@collector"),
    ):
        settings = {"ROLE": "conference", "CONFERENCE_SERVICE_URL": None} if name == "AUTH_SERVICE_URL" else {}
        refused(name, secret=secret, **settings | {"DATA_DIR": tmp_path / "data", "INTERNAL_TOKEN": GOOD, name: value})


# What must not stand in any log, by the place where it is given.
SECRETS = {
    "JWT_SECRET_KEY": "jwt-secret-that-is-never-seen-0123456789",
    "INTERNAL_TOKEN": "internal-token-that-is-never-seen-012345",
    "POSTGRES_PASSWORD": "postgres-password-that-is-never-seen",
    "REDIS_PASSWORD": "redis-password-that-is-never-seen",
    "password": "login-password-that-is-never-seen",
    "content": "a message whose content is never seen",
    "wrong": "a wrong password that is never seen",
}


@pytest.mark.parametrize("by_secret, log_format", [(True, "text"), (False, "json")], ids=["HS256", "Ed25519"])
def test_no_secret_stands_in_the_log_however_much_is_logged(postgres, by_secret, log_format):
    with Redis("--requirepass", SECRETS["REDIS_PASSWORD"]) as redis:
        url = lambda name: fresh[name].replace("postgres@", f"postgres:{SECRETS['POSTGRES_PASSWORD']}@")  # noqa: E731
        fresh = fresh_databases(postgres)
        common = {
            "RUST_LOG": "trace", "LOG_FORMAT": log_format, "RATE_LIMITS": "off", "INTERNAL_TOKEN": SECRETS["INTERNAL_TOKEN"],
            "JWT_SECRET_KEY": SECRETS["JWT_SECRET_KEY"] if by_secret else None, "TRUSTED_PROXIES": INNER["TRUSTED_PROXIES"],
        }
        stores = {name: url(name) for name in fresh} | {"REDIS_URL": redis.url(user=f":{SECRETS['REDIS_PASSWORD']}@")}
        with (
            Server(ROLE="auth", **common, **stores) as auth,
            Server(ROLE="conference", AUTH_SERVICE_URL=auth.url, **common, **stores) as conference,
            Server(ROLE="gateway", AUTH_SERVICE_URL=auth.url, CONFERENCE_SERVICE_URL=conference.url, **common) as gateway,
        ):
            secrets = SECRETS | lived_through(gateway, auth)
            for server in (auth, conference, gateway):
                log = server.read_log()
                assert "DEBUG" in log, "much is logged"
                for what, secret in secrets.items():
                    assert secret not in log, f"{what} in the log of {server.settings['ROLE']}: {line_of(log, secret)}"
                setup = re.search(r"\?setup=(\S+)", log)
                assert not setup or log.count(setup[1]) == 1, "the setup code is for the terminal alone"


def lived_through(gateway: Server, auth: Server) -> dict[str, str]:
    """Does what people do, well and badly, and gives the secrets that came of it."""
    email = unique_email()
    account = {"email": email, "display_name": "Ann", "password": SECRETS["password"]}
    with httpx.Client(base_url=gateway.url, timeout=5) as http:
        assert http.post("/api/auth/register", json=account).status_code == 201
        assert http.post("/api/auth/register", json=account).status_code == 409
        login = http.post("/api/auth/login?refresh=body", json={"email": email, "password": SECRETS["password"]})
        assert login.status_code == 200
        assert http.post("/api/auth/login", json={"email": email, "password": SECRETS["wrong"]}).status_code == 401
        access, refresh = login.json()["access_token"], login.json()["refresh_token"]
        http.headers["authorization"] = "Bearer " + access
        assert http.patch("/api/auth/me", json={"password": "x", "current_password": SECRETS["wrong"]}).status_code in (403, 422)
        renewed = http.post("/api/auth/refresh", json={"refresh_token": refresh})
        room = http.post("/api/rooms", json={"name": "Weekly planning"}).json()["id"]
        assert http.post(f"/api/rooms/{room}/messages", json={"content": SECRETS["content"]}).status_code == 201
        assert SECRETS["content"] in http.get(f"/api/rooms/{room}/messages").text
        assert http.post(f"/api/rooms/{room}/messages", content=f'{{"content": "{SECRETS["content"]}').status_code in (400, 415)
        assert http.get("/api/rooms", headers={"authorization": "Bearer " + access[:-4] + "AAAA"}).status_code == 401
        ticket = http.post("/api/ws-ticket").json()["ticket"]
        socket = Socket(gateway, ticket)
        socket.subscribe(room)
        socket.ask("send", "sent", room_id=room, client_msg_id="1", content=SECRETS["content"])
        socket.raw.close()
        cookie = login.cookies.get("cm_refresh") or ""
        assert http.post("/api/auth/logout").status_code == 204
    made = {"access token": access, "refresh token": refresh, "second access token": renewed.json()["access_token"], "ticket": ticket}
    # A token's head and claims are no secret; what makes it good is its signature.
    made |= {f"signature of the {name}": token.rsplit(".", 1)[1] for name, token in made.items() if "access" in name}
    return made | {"e-mail": email} | ({"cookie": cookie} if cookie else {})


def line_of(log: str, secret: str) -> str:
    return next(line for line in log.splitlines() if secret in line)[:400]
