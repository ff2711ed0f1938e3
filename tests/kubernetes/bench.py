"""Measures the operator on an API server and etcd of its own, and writes README's table: `make bench`.

    python -m kubernetes.bench BENCH [--write FILE]

BENCH is `cloudmeet-bench`, which patches by itself what the operator's rate is compared with; the server and the
operator are those that `CLOUDMEET_SERVER` and `CLOUDMEET_OPERATOR` name. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import re
import subprocess
import tempfile
import time

from kubernetes.api import Api
from kubernetes.cloudmeet import CloudMeet
from kubernetes.cluster import ControlPlane
from kubernetes.conftest import define_rooms, settings
from kubernetes.crowd import everyone, processor_s, resident_mib
from kubernetes.operators import Operator
from kubernetes.processes import wait_for
from kubernetes.stage import KIND, Stage, says

MANY = 1000
ONE_BY_ONE = 200
IDLE_S = 60
BEGIN, END = "<!-- bench kubernetes -->", "<!-- /bench kubernetes -->"
SAMPLE = re.compile(r'^apiserver_request_total\{(.*)\} (\S+)$', re.MULTILINE)
WRITES = {"POST", "PUT", "PATCH", "APPLY", "DELETE"}


def writes(api: Api) -> int:
    """How often rooms and events were written, as the API server counts it."""
    total = 0.0
    for labels, value in SAMPLE.findall(api.call("GET", "/metrics")):
        has = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if has["verb"] in WRITES and has["resource"] in ("rooms", "events"):
            total += float(value)
    return int(total)


def looked_at(operator: Operator, count: int) -> bool:
    metrics = operator.metrics()
    is_idle = metrics.value("cloudmeet_operator_queue_depth") == 0
    # A resource is counted when it has been looked at, which is after its status was written.
    done = metrics.value("cloudmeet_operator_reconciles_total", outcome="ok")
    return is_idle and done >= count and metrics.value("cloudmeet_operator_rooms", phase="Ready") == count


def raw_rate(bench: pathlib.Path, stage: Stage, directory: pathlib.Path) -> float:
    token = directory / "token"
    token.touch(mode=0o600)
    token.write_text(stage.namespace.token)
    url = stage.namespace.server + stage.namespace.path(KIND)
    command = [bench, "patches", url, stage.namespace.ca, token, str(MANY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rate"]


def one_by_one(stage: Stage) -> list[float]:
    """How long each of many resources takes from being applied until somebody who watches sees it ready, in seconds."""
    took = []
    with stage.namespace.watch(KIND, timeout=120) as events:
        for number in range(ONE_BY_ONE):
            name = f"single-{number}"
            began = time.monotonic()
            stage.namespace.apply(stage.manifest(name))
            for _, resource in events:
                if resource["metadata"]["name"] == name and says("Ready", "True")(resource):
                    break
            else:
                raise RuntimeError(f"the watch ended before {name} was ready")
            took.append(time.monotonic() - began)
    return sorted(took)


def measure(bench: pathlib.Path) -> list[tuple[str, str, str, str, str]]:
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plane = stack.enter_context(ControlPlane(is_durable=True))
        cloudmeet = stack.enter_context(CloudMeet())
        define_rooms(plane)
        stage = Stage(plane.namespace("bench"), cloudmeet, "bench", cloudmeet.person("Olga Owner"))
        stack.callback(stage.namespace.close)
        told = settings(stage, directory)
        manifests = [stage.manifest(f"room-{number}", displayName=f"Class {number}") for number in range(MANY)]

        def operator(name: str) -> Operator:
            made = Operator(**told, name=name)
            stack.callback(made.close)
            return made

        everyone(stage.namespace.create, manifests)
        raw = raw_rate(bench, stage, directory)
        # Others, whose statuses nobody has written.
        everyone(stage.delete, manifests)
        everyone(stage.namespace.create, manifests)

        before = writes(plane.api)
        first = operator("first").start(ready=False)
        wait_for(lambda: writes(plane.api) > before, 30, "the first write", every=0.01)
        began, counted = time.monotonic(), writes(plane.api)
        wait_for(lambda: looked_at(first, MANY), 300, "all rooms ready", every=0.05)
        span, count = time.monotonic() - began, writes(plane.api)
        rate, count = (count - counted) / span, count - before
        pid = first.program.process.pid

        before, busy, began = writes(plane.api), processor_s(pid), time.monotonic()
        time.sleep(IDLE_S)
        idle = (processor_s(pid) - busy) / (time.monotonic() - began)
        written = writes(plane.api) - before
        memory = resident_mib(pid)

        first.stop()
        before, began = writes(plane.api), time.monotonic()
        second = operator("second").start(ready=False)
        wait_for(lambda: looked_at(second, MANY), 60, "all rooms looked at", every=0.05)
        settled, rewritten = time.monotonic() - began, writes(plane.api) - before
        singles = one_by_one(stage)
        second.stop()
    return [
        (f"Writes to the cluster while {MANY:,} rooms become Ready", f"{rate:,.0f} writes/s",
         f"PATCHes alone: {raw:,.0f} writes/s", f"{rate / raw:.2f}", "≥ 0.5"),
        ("Writes for a room that becomes Ready", f"{count / MANY:.2f}", "–", "–", "≤ 3"),
        ("From `apply` to Ready, one room at a time, p50", f"{singles[len(singles) // 2] * 1000:.0f} ms", "–", "–", "–"),
        ("From `apply` to Ready, one room at a time, p99", f"{singles[len(singles) * 99 // 100] * 1000:.0f} ms", "–", "–", "≤ 300 ms"),
        (f"Processor of an idle operator with {MANY:,} rooms", f"{idle:.2%} of a core", "–", "–", "< 1 %"),
        ("Its writes but for the Lease", f"{written}", "–", "–", "0"),
        (f"Memory of the operator with {MANY:,} rooms", f"{memory:.1f} MiB", "–", "–", "≤ 40 MiB"),
        (f"From its start until {MANY:,} rooms are looked at", f"{settled:.1f} s", "–", "–", "≤ 10 s"),
        ("Its writes meanwhile but for the Lease", f"{rewritten}", "–", "–", "0"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bench", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE")
    arguments = parser.parse_args()
    rows = [("What", "CloudMeet", "Reference", "Ratio", "Target"), ("---",) * 5, *measure(arguments.bench)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows).replace("| --- |", "|---|").replace(" --- |", "---|")
    print(table)
    if arguments.write:
        text = arguments.write.read_text()
        before, _, rest = text.partition(BEGIN)
        _, found, after = rest.partition(END)
        assert found, f"{arguments.write} has no {BEGIN} … {END}"
        arguments.write.write_text(f"{before}{BEGIN}\n{table}{END}{after}")


if __name__ == "__main__":
    main()
