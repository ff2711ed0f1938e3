"""The commands of docs/seed.md, by the names of their blocks: the tests run what the page says."""

from __future__ import annotations

import re

from containers.engine import ROOT

BLOCK = re.compile(r"^```bash (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    found = BLOCK.findall((ROOT / "docs/seed.md").read_text())
    assert len({name for name, _ in found}) == len(found), "two blocks have one name"
    return dict(found)


def block(name: str, **placeholders: str) -> str:
    """The commands of a block, with what its reader has to fill in: `block("clone", **{"<this repository>": …})`."""
    text = blocks()[name]
    for placeholder, value in placeholders.items():
        assert placeholder in text, f"the block {name} has no {placeholder}"
        text = text.replace(placeholder, value)
    return text
