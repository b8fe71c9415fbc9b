"""A process of its own for somebody's file: its limits, and what it says."""

import time

import pytest

from lazycore.errors import CorruptResult, DataError
from lazycore.machine.apart import Limits, apart

ENOUGH = Limits(20.0, 300)
HERE = "tests.test_apart"


def backwards(data: bytes, *words: str) -> bytes:
    """What is done apart: the bytes backwards, and the words."""
    return data[::-1] + " ".join(words).encode()


def for_ever(data: bytes) -> bytes:
    while True:
        pass


def greedy(data: bytes) -> bytes:
    return bytes(10**9)


def refusing(data: bytes) -> bytes:
    raise CorruptResult("this is no file of ours.")


def broken(data: bytes) -> bytes:
    return data + 1  # type: ignore[operator]


def test_bytes_go_in_and_bytes_come_out():
    assert apart(f"{HERE}:backwards", b"abc", ["d", "é e"], ENOUGH) == "cbad é e".encode()


def test_what_takes_too_long_or_too_much_is_a_sentence():
    begun = time.monotonic()
    with pytest.raises(DataError, match=r"took longer than 1 s: give a smaller file\.$"):
        apart(f"{HERE}:for_ever", b"", [], Limits(1.0, 300), DataError)
    assert time.monotonic() - begun < 20.0
    with pytest.raises(DataError, match=r"needs more than 300 MB: give a smaller file\.$"):
        apart(f"{HERE}:greedy", b"", [], ENOUGH, DataError)


def test_a_refusal_comes_back_as_it_is_and_a_bug_stands_in_the_log(capfd):
    with pytest.raises(DataError, match=r"^this is no file of ours\.$"):
        apart(f"{HERE}:refusing", b"", [], ENOUGH, DataError)
    with pytest.raises(DataError, match=r"cannot be read \(TypeError\)"):
        apart(f"{HERE}:broken", b"", [], ENOUGH, DataError)
    assert "Traceback" in capfd.readouterr().err
