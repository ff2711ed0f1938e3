"""The operator's key and the server's certificate: what is not good is said, and mends itself once it is."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from kubernetes.conftest import settings
from kubernetes.faults import FaultProxy
from kubernetes.processes import wait_for
from kubernetes.stage import conditions, says


@pytest.fixture
def keyed(stage, operators, tmp_path):
    """Makes an operator with a key file of its own."""
    path = tmp_path / "key"
    return path, lambda **more: operators(**(settings(stage, tmp_path) | {"key_file": path}), **more)


@pytest.mark.parametrize("content", [None, "", "  \n", "cmk_unknown", "two words"], ids=["missing", "empty", "blank", "unknown", "odd"])
def test_a_key_that_is_not_good_is_said_and_mends_itself(stage, keyed, content):
    path, make = keyed
    if content is not None:
        path.write_text(content)
    operator = make().start()
    made = stage.create()
    seen = stage.until(made, says("Ready", "False", "Unauthorized"))
    assert says("Reconciling", "True")(seen) and seen["status"]["phase"] == "Pending"
    stage.cloudmeet.make_key(path)
    stage.until(made, says("Ready", "True", "Created"), timeout=60)
    assert path.read_text().strip() not in operator.log()


def test_a_revoked_key_shows_on_every_room_and_a_new_one_heals_them(stage, keyed):
    path, make = keyed
    key = stage.cloudmeet.make_key(path)
    make().start()
    rooms = [stage.ready() for _ in range(3)]
    stage.cloudmeet.revoke_key(key["id"])
    for room in rooms:
        seen = stage.until(room, says("Synced", "Unknown", "Unauthorized"), timeout=40)
        # People meet there as before: only that nobody looks after it.
        assert says("Ready", "True")(seen)
    stage.edit(rooms[0], lobby=True)
    stage.until(rooms[0], says("Ready", "False", "Unauthorized"))
    stage.cloudmeet.make_key(path)
    for room in rooms:
        stage.until(room, says("Synced", "True"), timeout=60)
    assert stage.room(rooms[0])["lobby"]


def test_a_key_is_replaced_without_anybody_noticing(stage, keyed):
    path, make = keyed
    old = stage.cloudmeet.make_key(path)
    operator = make().start()
    made = stage.ready()
    stage.cloudmeet.make_key(path)
    stage.cloudmeet.revoke_key(old["id"])
    # The stream ends with the key by which it began, and another begins.
    wait_for(lambda: operator.log().count("rooms listed") == 2, 30, "another stream")
    stage.break_room(made, lobby=True)
    stage.until(made, says("Synced", "True", "DriftCorrected"))
    stage.ready()
    assert operator.metrics().value("cloudmeet_operator_errors_total", reason="Unauthorized") == 0


def test_a_key_of_another_scope_is_not_good(stage, keyed):
    path, make = keyed
    # A person's token is no key for rooms, whoever the person is.
    path.write_text(stage.cloudmeet.administrator.http.headers["authorization"].removeprefix("Bearer "))
    make().start()
    stage.until(stage.create(), says("Ready", "False", "Unauthorized"))


def test_a_certificate_that_nobody_vouches_for(stage, operators, tmp_path):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=30,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with FaultProxy(stage.cloudmeet.url, server_tls=context) as proxy:
        told = settings(stage, tmp_path) | {"cloudmeet_url": proxy.url}
        first = operators(**told).start()
        made = stage.create()
        seen = stage.until(made, says("Ready", "False", "ServerUnreachable"))
        assert "certificate" in conditions(seen)["Ready"]["message"]
        first.stop()
        operators(**told, CLOUDMEET_CA_FILE=certificate).start()
        stage.until(made, says("Ready", "True", "Created"), timeout=40)
