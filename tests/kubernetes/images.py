"""Images FROM scratch for the node: ours, as their Dockerfiles say, and Postgres and Redis as this machine has them.

`make test` has programs that are linked dynamically: with each goes what `ldd` names. CLOUDMEET_IMAGES_BINARIES names a
directory with the static ones that are shipped, which are taken instead.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess

from harness.server import ROOT

SHIPPED = os.environ.get("CLOUDMEET_IMAGES_BINARIES")
BUILT = pathlib.Path(SHIPPED or ROOT / "target/debug")
TIMEOUT_S = 60
PREFIX, TAG = "localhost/meetings", "test"
# Images of ours, and the programs in them.
OURS = {
    "auth-service": ["cloudmeet-api-server", "cloudmeet"],
    "conference-service": ["cloudmeet-api-server"],
    "gateway": ["cloudmeet-api-server"],
    "operator": ["cloudmeet-operator"],
}
LIBRARY = re.compile(r"(/\S+) \(0x")
# Where Debian has the one that the chart names by default.
POSTGRES = "postgresql/15"
ENTRYPOINT = ROOT / "tests/containers/postgres-entrypoint.sh"
# What its entry point and the chart's script call.
POSTGRES_TOOLS = ["bash", "sh", "env", "mkdir", "chmod"]
# A server needs its time zone, UTC, and no other.
ZONES = ["Etc/UTC", "UTC", "GMT"]
REDIS_TOOLS = ["sh", "cat", "redis-server", "redis-cli"]
PATH = "/usr/local/bin:/usr/bin:/bin"


class Tree:
    """The files of an image."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        # Whoever may look in is whoever the image is started as.
        root.mkdir(mode=0o755, parents=True)

    def put(self, source: pathlib.Path, place: str) -> pathlib.Path:
        """Puts a file at a path, as anybody may read it."""
        target = self.root / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        return target

    def program(self, source: pathlib.Path, place: str | None = None) -> pathlib.Path:
        """Puts a program, or a library, where it is on this machine or at another path, with all that it is linked to."""
        target = self.put(source, place or str(source))
        linked = subprocess.run(["ldd", source], capture_output=True, text=True, timeout=TIMEOUT_S, check=False).stdout
        for library in LIBRARY.findall(linked):
            if not (self.root / library.lstrip("/")).exists():
                self.put(pathlib.Path(library), library)
        return target

    def tool(self, name: str) -> None:
        """Puts a program of this machine where scripts look for it."""
        found = shutil.which(name)
        assert found, f"there is no {name} on this machine"
        self.program(pathlib.Path(found), f"/usr/bin/{name}")
        if not (self.root / "bin").exists():
            (self.root / "bin").symlink_to("usr/bin")

    def directory(self, source: pathlib.Path, *without: str) -> None:
        """Puts a directory where it is on this machine, without what fits these patterns."""
        ignored = shutil.ignore_patterns(*without)
        shutil.copytree(source, self.root / str(source).lstrip("/"), ignore=ignored, dirs_exist_ok=True)

    def user(self, name: str, number: int) -> None:
        """Lets a number have a name."""
        (self.root / "etc").mkdir(exist_ok=True)
        (self.root / "etc/passwd").write_text(f"{name}:x:{number}:{number}::/:/bin/sh\n")
        (self.root / "etc/group").write_text(f"{name}:x:{number}:\n")


def ours(name: str, root: pathlib.Path) -> dict:
    """Makes the files of an image of ours, and gives its configuration."""
    tree = Tree(root)
    for program in OURS[name]:
        source = BUILT / program
        assert source.is_file(), f"there is no {source}: run `make build`"
        target = tree.program(source, f"/{program}")
        # What is for debuggers is most of it.
        subprocess.run(["strip", target], check=True, timeout=TIMEOUT_S)
    if not SHIPPED and name != "operator":
        # A debug build has no pages in it, and reads them by this path.
        tree.directory(ROOT / "frontend")
        tree.directory(ROOT / "api-server", "*")
    return configuration((ROOT / f"docker/{name}/Dockerfile").read_text())


def configuration(dockerfile: str) -> dict:
    """What the last stage of a Dockerfile says of how its image is started."""
    said = dict(re.findall(r"^(ENV|USER|ENTRYPOINT|CMD) (.+)$", dockerfile[dockerfile.rindex("\nFROM ") :], re.MULTILINE))
    found = {"Env": said["ENV"].split(), "User": said["USER"], "Entrypoint": json.loads(said["ENTRYPOINT"])}
    return found | ({"Cmd": json.loads(said["CMD"])} if "CMD" in said else {})


def postgres(root: pathlib.Path) -> dict:
    """Makes the files of a stand-in for the official image of Postgres, and gives its configuration."""
    tree = Tree(root)
    programs, share = pathlib.Path("/usr/lib") / POSTGRES, pathlib.Path("/usr/share") / POSTGRES
    assert programs.is_dir(), f"there is no {programs} on this machine"
    for program in ("postgres", "initdb", "pg_ctl", "psql", "createdb", "pg_isready"):
        tree.program(programs / "bin" / program)
    for library in ("plpgsql", "dict_snowball"):
        tree.program(programs / f"lib/{library}.so")
    tree.directory(share, "man", "extension")
    for file in (share / "extension").glob("plpgsql*"):
        tree.put(file, str(file))
    for zone in ZONES:
        tree.put(pathlib.Path("/usr/share/zoneinfo") / zone, f"/usr/share/zoneinfo/{zone}")
    for tool in POSTGRES_TOOLS:
        tree.tool(tool)
    tree.put(ENTRYPOINT, "/usr/local/bin/docker-entrypoint.sh").chmod(0o755)
    tree.user("postgres", 999)
    return {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"], "Env": [f"PATH={programs}/bin:{PATH}"]}


def redis(root: pathlib.Path) -> dict:
    """Makes the files of a stand-in for the official image of Redis, and gives its configuration."""
    tree = Tree(root)
    for tool in REDIS_TOOLS:
        tree.tool(tool)
    tree.user("redis", 999)
    return {"Cmd": ["redis-server"], "Env": [f"PATH={PATH}"]}
