"""Breaks the programs on purpose, one way at a time, in a copy of the sources, and sees that tests turn red.

    python tests/mutants/run.py DIRECTORY [WORD]

DIRECTORY holds the copy and what is compiled; WORD picks mutants by what they are about. The copy is of the last
commit. Ends with 1 if a mutant is not noticed.

A mutant with `each` is compiled once and asks its environment which of many faults it is to have: one for each word
that the regular expression finds in the file, with each of the `faults`.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What fails to compile shows nothing.
COMPILE_S, TESTS_S = 1200, 1200
# A test that failed, as pytest and as Cargo name it.
RED = re.compile(r"^FAILED (\S+)|^test (\S+) \.\.\. FAILED$", re.MULTILINE)


def run(copy: pathlib.Path, *command: str, timeout_s: float, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=copy, timeout=timeout_s, env=os.environ | settings,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )


def judge(copy: pathlib.Path, target: pathlib.Path, mutant: dict) -> str:
    """Says what became of a mutant: `noticed by` a test, or why it was not."""
    file = copy / mutant["file"]
    whole = file.read_text()
    if whole.count(mutant["old"]) != 1:
        return "is not where it should be"
    file.write_text(whole.replace(mutant["old"], mutant["new"]))
    server = target / "debug/cloudmeet-api-server"
    try:
        settings = {"CARGO_TARGET_DIR": str(target)}
        packages = ["cloudmeet-api-server", "cloudmeet-cli", "cloudmeet-operator"]
        build = ["cargo", "build", "--locked", *(word for package in packages for word in ("--package", package))]
        if "cargo" in mutant:
            build = ["cargo", "test", "--locked", "--no-run", *mutant["cargo"][:2]]
        compiled = run(copy, *build, timeout_s=COMPILE_S, **settings)
        if compiled.returncode:
            return "does not compile:\n" + compiled.stdout[-2000:]
        if "cargo" in mutant:
            tests = run(copy, "tests/harness/with-postgres.sh", "cargo", "test", "--locked", *mutant["cargo"],
                        timeout_s=TESTS_S, **settings)
            return noticed(tests)
        if "each" not in mutant:
            return noticed(run_tests(copy, mutant, server))
        return noticed_each(copy, mutant, server, re.findall(mutant["each"], whole, re.MULTILINE))
    finally:
        file.write_text(whole)


def run_tests(copy: pathlib.Path, mutant: dict, server: pathlib.Path) -> subprocess.CompletedProcess:
    return run(copy, sys.executable, "-m", "pytest", "-x", "-q", *mutant["tests"], timeout_s=TESTS_S,
               CLOUDMEET_SERVER=str(server), CLOUDMEET_CLI=str(server.with_name("cloudmeet")),
               CLOUDMEET_OPERATOR=str(server.with_name("cloudmeet-operator")))


def noticed(tests: subprocess.CompletedProcess) -> str:
    if not tests.returncode:
        return "NOT NOTICED"
    red = [pytest or cargo for pytest, cargo in RED.findall(tests.stdout)]
    return f"noticed by {red[0]}" if red else "fails without a red test:\n" + tests.stdout[-2000:]


def noticed_each(copy: pathlib.Path, mutant: dict, server: pathlib.Path, words: list[str]) -> str:
    """Tries every fault of a mutant that has many. Without any the tests have to be green."""
    faulty = server.with_name("faulty-server")
    count = 0
    for fault in ["none", *(f"{word} {kind}" for word in words for kind in mutant["faults"])]:
        # Tests give their servers an environment of their own.
        faulty.write_text(f"#!/bin/sh\nMUTANT='{fault}' exec '{server}' \"$@\"\n")
        faulty.chmod(0o755)
        outcome = noticed(run_tests(copy, mutant, faulty))
        print(f"    {fault}: {outcome}", flush=True)
        if (fault == "none") != (outcome == "NOT NOTICED"):
            return f"{fault}: {outcome}"
        count += fault != "none"
    return f"noticed by tests, each of {count}"


def main() -> int:
    directory, word = pathlib.Path(sys.argv[1]), (sys.argv[2:] or [""])[0]
    copy, target = directory / "sources", directory / "target"
    directory.mkdir(parents=True, exist_ok=True)
    if not copy.exists():
        subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(copy)], check=True)
    subprocess.run(["git", "-C", str(copy), "fetch", "--quiet", "origin", "HEAD"], check=True)
    subprocess.run(["git", "-C", str(copy), "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"], check=True)
    mutants = tomllib.loads((pathlib.Path(__file__).parent / "mutants.toml").read_text())["mutant"]
    missed = 0
    for mutant in mutants:
        if word not in mutant["about"]:
            continue
        began = time.monotonic()
        outcome = judge(copy, target, mutant)
        missed += not outcome.startswith("noticed by")
        print(f"{mutant['about']} ({mutant['file']}, {time.monotonic() - began:.0f} s)\n    {outcome}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
