"""Judges a history: what writers were told, what the store holds, what readers saw.

Pure: lists in, complaints out. Every test that breaks something on purpose ends here.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Entry:
    """A message as somebody saw it: its number, its sender's own name for it, its text."""

    seq: int
    name: str
    content: str


def check(
    acknowledged: list[Entry],
    stored: list[Entry],
    readers: dict[str, list[Entry]],
    attempted: dict[str, str],
) -> list[str]:
    """Returns what is wrong, in words; empty when nothing is.

    `acknowledged` are all answers to writers, repeats included; `stored` is the history as the store gives it at the
    end; each of `readers` is what one reader saw, in the order in which it saw it; `attempted` maps the name of
    every message that was ever sent to its text.
    """
    complaints: list[str] = []
    seqs = [entry.seq for entry in stored]
    if seqs != list(range(1, len(seqs) + 1)):
        complaints.append(f"stored numbers are not 1..{len(seqs)} in order: {first_break(seqs)}")

    by_name: dict[str, Entry] = {}
    for entry in stored:
        if entry.name in by_name:
            complaints.append(f"{entry.name} is stored twice: as {by_name[entry.name].seq} and {entry.seq}")
        by_name[entry.name] = entry
        if entry.name not in attempted:
            complaints.append(f"{entry.name} is stored and was never sent")
        elif attempted[entry.name] != entry.content:
            complaints.append(f"{entry.name} is stored with another text")

    for entry in acknowledged:
        kept = by_name.get(entry.name)
        if kept is None:
            complaints.append(f"{entry.name} was acknowledged as {entry.seq} and is lost")
        elif kept != entry:
            complaints.append(f"{entry.name} was acknowledged as {entry.seq} and is stored as {kept.seq}")

    by_seq = {entry.seq: entry for entry in stored}
    for reader, seen in readers.items():
        for before, after in zip(seen, seen[1:]):
            if after.seq != before.seq + 1:
                complaints.append(f"{reader} saw {after.seq} right after {before.seq}")
        for entry in seen:
            if by_seq.get(entry.seq) != entry:
                complaints.append(f"{reader} saw {entry.name} as {entry.seq}, which the store does not hold")
    return complaints


def first_break(seqs: list[int]) -> str:
    """Shows where numbers stop being 1, 2, 3 …"""
    for expected, seq in enumerate(seqs, start=1):
        if seq != expected:
            return f"{seq} stands where {expected} should"
    return "none"
