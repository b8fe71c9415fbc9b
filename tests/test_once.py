"""A property that is computed once, while nobody else waits."""

from dataclasses import dataclass
from threading import Event, Thread

import standin

from lazycore.machine.once import once


@dataclass(frozen=True)
class Asked:
    """Whose answer waits for an event, and counts how often it was looked for."""

    ready: Event
    times: list[int]

    @once
    def answer(self) -> int:
        """Six times seven."""
        self.times.append(1)
        assert self.ready.wait(standin.DEADLINE)
        return 42


def test_it_is_computed_once_also_in_what_is_frozen():
    asked = Asked(Event(), [])
    asked.ready.set()
    assert [asked.answer, asked.answer] == [42, 42] and asked.times == [1]
    assert Asked.answer.__doc__ == "Six times seven."


def test_one_that_waits_keeps_no_other_waiting():
    slow, quick = Asked(Event(), []), Asked(Event(), [])
    thread = Thread(target=lambda: slow.answer)
    thread.start()
    standin.until(lambda: slow.times, "the slow one to be asked")
    quick.ready.set()
    found: list[int] = []
    other = Thread(target=lambda: found.append(quick.answer), daemon=True)
    other.start()
    other.join(standin.DEADLINE / 10)
    assert found == [42], "it waits for another instance"
    slow.ready.set()
    thread.join(standin.DEADLINE)
    assert slow.answer == 42
