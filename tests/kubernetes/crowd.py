"""What is done to many resources at once, and what that costs a process."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib

# As many as the operator does at once.
AT_ONCE = 24


def everyone(deed, items) -> None:
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(deed, item) for item in items]:
            done.result()


def processor_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
