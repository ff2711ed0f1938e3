"""The checker sees every fault it is there for, and none where there is none."""

from faults.checker import Entry, check

STORED = [Entry(1, "a", "A"), Entry(2, "b", "B"), Entry(3, "c", "C")]
SENT = {"a": "A", "b": "B", "c": "C", "d": "D"}


def complaints(acknowledged=STORED, stored=STORED, readers=None, attempted=SENT):
    return check(list(acknowledged), list(stored), readers or {}, attempted)


def test_a_sound_history_has_no_complaints():
    readers = {"whole": STORED, "joined late": STORED[1:], "left early": STORED[:2], "saw nothing": []}
    assert complaints(acknowledged=[*STORED, STORED[0]], readers=readers) == []


def test_a_lost_message_is_seen():
    assert any("lost" in c for c in complaints(acknowledged=[*STORED, Entry(4, "d", "D")]))


def test_a_doubled_message_is_seen():
    assert any("twice" in c for c in complaints(stored=[*STORED, Entry(4, "a", "A")]))


def test_two_numbers_for_one_message_are_seen():
    assert any("acknowledged as 3" in c for c in complaints(acknowledged=[Entry(3, "a", "A")]))


def test_a_gap_and_a_repeated_number_in_the_store_are_seen():
    assert any("not 1..2" in c for c in complaints(acknowledged=[], stored=[STORED[0], STORED[2]]))
    assert any("not 1..2" in c for c in complaints(acknowledged=[], stored=[STORED[0], Entry(1, "b", "B")]))


def test_a_reader_that_misses_repeats_or_reorders_is_seen():
    for seen in ([STORED[0], STORED[2]], [STORED[0], STORED[0]], [STORED[1], STORED[0]]):
        assert any("right after" in c for c in complaints(readers={"reader": seen}))


def test_a_reader_of_something_else_than_the_store_holds_is_seen():
    assert any("does not hold" in c for c in complaints(readers={"reader": [Entry(1, "a", "other")]}))
    assert any("does not hold" in c for c in complaints(readers={"reader": [Entry(4, "d", "D")]}))


def test_another_text_and_a_message_from_nowhere_are_seen():
    assert any("another text" in c for c in complaints(acknowledged=[], stored=[Entry(1, "a", "B")]))
    assert any("never sent" in c for c in complaints(acknowledged=[], stored=[Entry(1, "z", "Z")]))
