#!/usr/bin/env python3
"""Writes the table of values in the chart's README from values.yaml, where a text after `# --` describes the key below it.

    charts/generate_readme.py [--check]     --check writes nothing, and exits with 1 where the README is out of date
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "cloudmeet"
VALUES, README = CHART / "values.yaml", CHART / "README.md"
BEGIN, END = "<!-- values -->\n", "<!-- /values -->\n"
KEY = re.compile(r"( *)([A-Za-z][A-Za-z0-9]*):(?: |$)")
DESCRIPTION = re.compile(r" *# -- (.+)")


def described(text: str) -> dict[str, str]:
    """Finds each described key, by its path with dots, in the order of the file."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    description = None
    for number, line in enumerate(text.splitlines(), 1):
        if match := DESCRIPTION.fullmatch(line):
            description = match[1]
        elif match := KEY.match(line):
            indent = len(match[1])
            path = [(depth, key) for depth, key in path if depth < indent] + [(indent, match[2])]
            if description:
                found[".".join(key for _, key in path)] = description
            description = None
        elif description:
            raise SystemExit(f"values.yaml, line {number}: a description stands above no key")
    return found


def value_at(values: object, path: str) -> object:
    for key in path.split("."):
        values = values[key]
    return values


def undescribed(values: dict, keys: set[str], path: str = "") -> list[str]:
    """Lists the leaves that neither are described nor lie in something that is."""
    missing = []
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if here in keys:
            continue
        if isinstance(value, dict) and value:
            missing += undescribed(value, keys, here)
        else:
            missing.append(here)
    return missing


def table(text: str) -> str:
    values = yaml.safe_load(text)
    descriptions = described(text)
    if missing := undescribed(values, set(descriptions)):
        raise SystemExit(f"values.yaml has keys without a description: {', '.join(missing)}")
    rows = ["| Key | Default | |", "|---|---|---|"]
    for path, description in descriptions.items():
        default = json.dumps(value_at(values, path), ensure_ascii=False)
        rows.append(f"| `{path}` | `{default}` | {description} |".replace("||", "\\|\\|"))
    return "\n".join(rows) + "\n"


def main() -> int:
    before = README.read_text()
    head, rest = before.split(BEGIN)
    _, tail = rest.split(END)
    after = head + BEGIN + table(VALUES.read_text()) + END + tail
    if sys.argv[1:] == ["--check"]:
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "README.md", "values.yaml"))
        return int(before != after)
    if sys.argv[1:]:
        raise SystemExit(__doc__)
    README.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
