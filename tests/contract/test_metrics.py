"""What is counted, how a request is recognised from service to service, and where its trace goes."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import re
import threading

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from conftest import fresh_databases, fresh_redis
from contract.client import Person, Socket, wait_until
from harness.server import ROOT, Server, Split

DASHBOARD = ROOT / "deploy/grafana/cloudmeet.json"
SAMPLE = re.compile(r"^([a-z_]+)(\{.*\})? (\S+)$")


def scrape(server: Server) -> dict[str, dict[str, float]]:
    """The samples by name and labels."""
    answer = httpx.get(server.url + "/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples: dict[str, dict[str, float]] = {}
    for line in answer.text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            samples.setdefault(name, {})[labels or ""] = float(value)
    return samples


@pytest.fixture(scope="module")
def system(postgres, redis):
    with Split(each=2, RATE_LIMITS="on", **fresh_databases(postgres), **fresh_redis(redis)) as split:
        yield split


@pytest.fixture(scope="module")
def meeting(system):
    """A meeting in which everything happens that is counted."""
    ann, bob = Person(system, "Ann"), Person(system, "Bob")
    room = ann.room()
    bob.join(room)
    sockets = [Socket(system, person.ticket()) for person in (ann, bob)]
    for socket in sockets:
        socket.subscribe(room)
    said = [ann.say(room, f"line {number}", client_msg_id=str(number)) for number in range(5)]
    assert ann.post(f"/api/rooms/{room}/messages", content="again", client_msg_id="1").status_code == 200
    for _ in range(4):
        assert ann.get(f"/api/rooms/{room}/messages").json()["messages"] == said
    guess = {"email": ann.email, "password": "wrong"}
    wait_until(lambda: httpx.post(system.url + "/api/auth/login", json=guess).status_code == 429)
    httpx.request("BREW", system.url + "/api/rooms/17/messages")
    yield room
    for socket in sockets:
        socket.raw.close()


def total(samples: dict[str, dict[str, float]], name: str, *labels: str) -> float:
    return sum(value for found, value in samples.get(name, {}).items() if all(label in found for label in labels))


def test_requests_are_counted_by_route_and_never_by_what_people_make_up(system, meeting):
    conference = [scrape(server) for server in system.conferences]
    messages = sum(
        total(samples, "http_server_request_duration_seconds_count", 'http_route="/api/rooms/{id}/messages"', '"POST"')
        for samples in conference
    )
    assert messages == 6
    for server in system.servers():
        text = httpx.get(server.url + "/metrics").text
        assert f"rooms/{meeting}" not in text and "rooms/17" not in text and "BREW" not in text
        assert "@example.org" not in text
        for name, samples in scrape(server).items():
            assert len(samples) < 400, f"{name} has {len(samples)} series"
    gateway = [scrape(server) for server in system.gateways]
    assert sum(total(samples, "cloudmeet_upstream_requests_total", '"conference"', '"answered"') for samples in gateway) > 10
    assert [total(samples, "cloudmeet_upstream_servers_ready", '"conference"') for samples in gateway] == [2, 2]


def test_what_happens_in_a_meeting_is_counted(system, meeting):
    def all_of(name: str, *labels: str) -> float:
        return sum(total(scrape(server), name, *labels) for server in system.conferences)

    assert all_of("cloudmeet_messages_total", '"stored"') == 5
    assert all_of("cloudmeet_messages_total", '"repeated"') == 1
    assert all_of("cloudmeet_commit_messages_sum") == 6
    assert all_of("cloudmeet_sockets") == 2
    assert 1 <= all_of("cloudmeet_rooms_followed") <= 2
    assert all_of("cloudmeet_bus_up") == 2
    assert 0 < all_of("cloudmeet_bus_lag_seconds") < 1
    found = {where: all_of("cloudmeet_page_cache_requests_total", f'"{where}"') for where in ("here", "redis", "nowhere")}
    assert sum(found.values()) == 4 and found["nowhere"] == 1, found
    assert total(scrape(system.auth), "cloudmeet_rate_limited_total", '"failed_login"') >= 1


def test_the_dashboard_asks_only_for_what_there_is(system, meeting):
    dashboard = json.loads(DASHBOARD.read_text())
    known = {name for server in system.servers() for name in scrape(server)}
    asked = set()
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = set(re.findall(r"\b((?:cloudmeet|http|process)_[a-z_]+?)(?=\{)", target["expr"]))
            assert names, target["expr"]
            asked |= names
    assert len(asked) > 15 and asked <= known, asked - known
    labels = {label for panel in dashboard["panels"] for target in panel["targets"]
              for group in re.findall(r"by \(([a-z_, ]+)\)", target["expr"]) for label in group.split(", ")}
    text = "".join(httpx.get(server.url + "/metrics").text for server in system.servers())
    for label in labels - {"instance", "le"}:
        assert f'{label}="' in text, label


def test_prometheus_asks_by_address_and_reads_no_more_than_that():
    with Server(PUBLIC_URL="https://meet.example.org") as server:
        by_address = {"host": "10.0.0.7:8000"}
        assert httpx.get(server.url + "/metrics", headers=by_address).status_code == 200
        assert httpx.get(server.url + "/api/rooms", headers=by_address).status_code == 421


def test_a_request_keeps_its_id_through_the_services(system):
    known = httpx.get(system.url + "/api/rooms", headers={"x-request-id": "mine-1"})
    assert known.headers["x-request-id"] == "mine-1"
    made = httpx.get(system.url + "/api/rooms").headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    for bad in ("a b", "x" * 65, 'a"b'):
        assert httpx.get(system.url + "/api/rooms", headers={"x-request-id": bad}).headers["x-request-id"] != bad


class Collector:
    """Takes traces by OTLP over HTTP, and keeps what it was sent."""

    def __init__(self) -> None:
        outer = self
        self.bodies: list[bytes] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                outer.bodies.append(body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_one_trace_goes_through_gateway_service_commit_and_bus(postgres, redis):
    with Collector() as collector:
        settings = {"RATE_LIMITS": "off", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with Split(each=2, **settings, **fresh_databases(postgres), **fresh_redis(redis)) as split:
            for server in split.conferences:
                wait_until(lambda server=server: httpx.get(server.url + "/readyz").json()["redis"] == "up", timeout=10)
            ann = Person(split, "Ann")
            room = ann.room()
            trace = "0af7651916cd43dd8448eb211c80319c"
            ann.http.headers["traceparent"] = f"00-{trace}-b7ad6b7169203331-01"
            ann.say(room, "hi")
            del ann.http.headers["traceparent"]
            ann.close()

            def spans() -> set[tuple[str, str]]:
                """Which service sent which span of the trace."""
                return {
                    (attribute.value.string_value, span.name)
                    for body in list(collector.bodies)
                    for traced in ExportTraceServiceRequest.FromString(body).resource_spans
                    for attribute in traced.resource.attributes
                    if attribute.key == "service.name"
                    for scope in traced.scope_spans
                    for span in scope.spans
                    if span.trace_id.hex() == trace
                }

            expected = {
                ("cloudmeet-gateway", "POST"), ("cloudmeet-gateway", "upstream"),
                ("cloudmeet-conference", "POST /api/rooms/{id}/messages"), ("cloudmeet-conference", "upstream"),
                ("cloudmeet-auth", "POST /internal/session-holder"), ("cloudmeet-conference", "commit"),
                ("cloudmeet-conference", "bus"),
            }
            with contextlib.suppress(AssertionError):
                wait_until(lambda: spans() >= expected, timeout=20, every=0.5)
            assert spans() >= expected
