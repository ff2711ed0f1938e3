"""The seed document's README, block by block as docs/seed.md has it, typed into a fresh clone."""

from __future__ import annotations

import json
import re

import pytest

from containers.engine import HERE, ROOT, Engine
from containers.seed import block, blocks

BUILD_TIMEOUT_S = 2400
# These need an account or a machine that no test has.
NOT_RUN = {"swarm-join", "login"}


def bodies(output: str) -> list[dict]:
    """The JSON objects in what several calls of curl printed."""
    found, decoder = [], json.JSONDecoder()
    for start in (match.start() for match in re.finditer(r"\{", output)):
        try:
            body, _ = decoder.raw_decode(output[start:])
        except json.JSONDecodeError:
            continue
        found.append(body)
    return found


@pytest.fixture(scope="module")
def quick_start(engine: Engine, checkout):
    """The quick start, up to a system that runs."""
    engine.run(block("settings"), cwd=checkout)
    try:
        engine.run(block("start"), cwd=checkout, timeout=BUILD_TIMEOUT_S)
        yield engine
    finally:
        print(engine.run("docker compose logs --no-color --tail 30", cwd=checkout, check=False))
        engine.run("docker compose down --volumes --remove-orphans", cwd=checkout, timeout=180, check=False)


def test_every_block_is_run_by_some_test():
    tests = "".join(path.read_text() for path in HERE.glob("*.py"))
    run = set(re.findall(r'\bblock\("([^"]+)"', tests))
    assert run | NOT_RUN == set(blocks()) and not run & NOT_RUN


def test_a_clone_has_what_the_start_needs(engine, tmp_path):
    engine.run(block("clone", **{"<this repository>": f"file://{ROOT}"}), cwd=tmp_path)
    assert (tmp_path / "cloudmeet/docker-compose.yml").exists()


def test_right_after_the_start_everything_answers(quick_start, checkout):
    said = quick_start.run(block("health"), cwd=checkout)
    assert bodies(said) == [
        {"status": "healthy", "service": name} for name in ("frontend", "gateway", "auth-service", "conference-service")
    ]


def test_the_first_administrators_link_is_in_the_log(quick_start, checkout):
    assert re.search(r"http://localhost/\?setup=[A-Za-z0-9_-]{20,}", quick_start.run(block("setup-link"), cwd=checkout))


def test_the_examples_of_calls_work_one_after_the_other(quick_start, checkout):
    (account,) = bodies(quick_start.run(block("register")))
    assert (account["email"], account["display_name"], account["is_admin"]) == ("user@example.com", "John Doe", False)
    (login,) = bodies(quick_start.run(block("log-in")))
    token = {"<TOKEN>": login["access_token"]}
    (room,) = bodies(quick_start.run(block("create-room", **token)))
    assert (room["id"], room["name"]) == (1, "Team Meeting")
    (message,) = bodies(quick_start.run(block("send-message", **token)))
    assert (message["content"], message["seq"]) == ("Hello, everyone!", 1)


def test_a_stop_keeps_the_data_and_a_clean_up_does_not(quick_start, checkout):
    quick_start.run(block("stop"), cwd=checkout, timeout=120)
    assert "cloudmeet_postgres" in quick_start.run("docker volume ls -q")
    quick_start.run(block("clean-up"), cwd=checkout, timeout=120)
    assert quick_start.run("docker volume ls -q") == ""
    assert quick_start.run("docker ps -aq") == ""


def test_the_imitation_of_ci_needs_no_sleep(quick_start, checkout):
    """After the clean-up, so from nothing."""
    said = quick_start.run(block("local-ci"), cwd=checkout, timeout=BUILD_TIMEOUT_S)
    health, account = bodies(said)[-2:]
    assert health == {"status": "healthy", "service": "gateway"}
    assert (account["email"], account["display_name"]) == ("test@test.com", "Test")
