"""What is said of the cost and how far something is: where, when, and never on standard output."""

import io
import re
import sys
import time
import types

import pytest

import lazycore
from lazycore import RunConfig, SweepConfig
from lazycore.errors import ConfigError, LazyLabError
from lazycore.results.run import Snapshot
from lazycore.running import progress

TINY = RunConfig(task="sine", dynamics="gd", steps=20, width=4, n_train=4, n_test=0)
SNAPSHOTS = [Snapshot(time=t, progress=t) for t in (0.0, 0.25, 0.5, 1.0)]


class Terminal(io.StringIO):
    """A standard error that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    found = Terminal()
    monkeypatch.setattr(progress, "sys", types.SimpleNamespace(stderr=found, modules=sys.modules))
    return found


@pytest.fixture
def no_bar(monkeypatch):
    """No bar, however long a small run takes here."""
    monkeypatch.setattr(progress, "DELAY", 1e9)


@pytest.fixture
def at_once(monkeypatch):
    """Bars that are drawn without delay, at every step."""
    monkeypatch.setattr(progress, "DELAY", 0.0)
    clock = iter(range(10**6))
    monkeypatch.setattr("tqdm.std.time", lambda: 10.0 * next(clock))


def test_the_cost_is_said_before_the_first_snapshot_is_asked_for(capsys):
    def snapshots():
        assert capsys.readouterr().err == "run: about 12 s on one core (estimate)\n"
        yield from SNAPSHOTS

    assert list(progress.reported(snapshots(), progress=True, about=12.0)) == SNAPSHOTS
    assert capsys.readouterr() == ("", ""), "what takes less than a second draws no bar"


def test_a_bar_says_how_far_it_is_and_is_taken_away_at_the_end(terminal, at_once):
    assert list(progress.reported(SNAPSHOTS, about=None)) == SNAPSHOTS
    drawn = terminal.getvalue()
    assert "25%" in drawn and "50%" in drawn and "passed" in drawn
    assert drawn.endswith("\r") and drawn.split("\r")[-2].strip() == ""


def test_a_bar_of_cells_counts_what_is_computed_and_begins_after_what_is_kept(terminal, at_once):
    found = list(progress.counted("abcd", 4, kept=2, about=60.0, cores=2))
    assert found == list("abcd")
    said, drawn = terminal.getvalue().split("\n", 1)
    assert said == "4 cells, 2 of them kept from before: about 30 s on 2 cores (estimate)"
    assert re.findall(r"(\d) of 4", drawn)[-1] == "4" and "1 of 4" not in drawn


def test_the_time_left_goes_by_the_second_of_two_answers(terminal, at_once, monkeypatch):
    asked = []
    monkeypatch.setattr(progress, "time_left", lambda passed: asked.append(passed))
    first = [Snapshot(time=t, progress=0.05 * t, first=True) for t in (0.0, 1.0)]
    second = [Snapshot(time=t, progress=0.05 + 0.95 * t) for t in (0.2, 1.0)]
    assert list(progress.reported([*first, *second])) == [*first, *second]
    assert [[share for _, share in passed] for passed in asked] == [
        *([], []),
        [pytest.approx(0.2)],
        [pytest.approx(0.2), pytest.approx(1.0)],
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_takes_the_bar_away_and_goes_on(terminal, at_once, error):
    def snapshots():
        yield from SNAPSHOTS[:3]
        raise error

    with pytest.raises(error):
        list(progress.reported(snapshots()))
    assert "25%" in terminal.getvalue() and terminal.getvalue().split("\r")[-2].strip() == ""


def test_whoever_stops_asking_takes_the_bar_away(terminal, at_once):
    stream = progress.reported(SNAPSHOTS)
    next(stream), next(stream), next(stream)
    stream.close()
    assert terminal.getvalue().split("\r")[-2].strip() == ""


def test_by_itself_it_is_shown_on_a_terminal_and_in_a_notebook_only(monkeypatch, capsys):
    assert not progress.is_shown(None) and progress.is_shown(True)
    assert list(progress.reported(SNAPSHOTS, about=100.0)) == SNAPSHOTS
    assert list(progress.counted("ab", 2, about=100.0)) == ["a", "b"]
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert progress.is_shown(None) and not progress.is_shown(False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    shell = types.SimpleNamespace(kernel=object())
    notebook = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    assert progress.is_shown(None)
    shell.kernel = None  # IPython in a terminal, its output in a file
    assert not progress.is_shown(None)


def test_a_process_without_standard_error_is_silent(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress.reported(SNAPSHOTS, progress=True, about=9.0)) == SNAPSHOTS
    progress.say_cost("run", 9.0)


def test_a_notebook_with_widgets_has_its_own_bar(monkeypatch):
    made = []

    class Bar:
        n = 0.0

        def set_postfix_str(self, said, refresh):
            assert said.endswith(" left") and not refresh

        def __init__(self, **given):
            made.append(given)

        def update(self, more):
            self.n += more

        def close(self):
            made.append("closed")

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "find_spec", lambda name: name == "ipywidgets")
    monkeypatch.setitem(sys.modules, "tqdm.notebook", types.SimpleNamespace(tqdm=Bar))
    assert list(progress.reported(SNAPSHOTS)) == SNAPSHOTS
    assert made[0]["total"] == 1.0 and made[1:] == ["closed"]


def test_a_little_cost_is_said_where_it_is_asked_for(terminal):
    list(progress.reported(SNAPSHOTS, about=0.2))
    assert terminal.getvalue() == ""
    list(progress.reported(SNAPSHOTS, about=0.2, progress=True))
    assert terminal.getvalue() == "run: about a second on one core (estimate)\n"


@pytest.mark.parametrize("wrong", ["yes", 1, 0, [], "bar"])
def test_a_progress_that_is_no_answer_is_refused_before_anything_is_computed(wrong, monkeypatch):
    config = SweepConfig(base=TINY, axes={"alpha": (1.0, 10.0)})
    monkeypatch.setattr(
        "lazycore.running.sweeps.run_lanes", lambda *_, **__: pytest.fail("computed")
    )
    monkeypatch.setattr("lazycore.running.run.recorder", lambda *_: pytest.fail("computed"))
    for call in (lambda: lazycore.run(TINY, progress=wrong),
                 lambda: lazycore.sweep(config, progress=wrong)):  # fmt: skip
        with pytest.raises(ConfigError, match="give True, False or None") as error:
            call()
        assert f"progress={wrong!r} is not allowed" in str(error.value)


def test_a_run_and_a_sweep_say_their_cost_on_standard_error_alone(capsys, no_bar):
    lazycore.run(TINY, device="cpu", progress=True)
    said = capsys.readouterr()
    assert said.out == "" and re.fullmatch(r"run: about .* on one core \(estimate\)\n", said.err)
    config = SweepConfig(base=TINY, axes={"alpha": (1.0, 10.0)})
    lazycore.sweep(config, device="cpu", progress=True)
    said = capsys.readouterr()
    assert said.out == "" and said.err == "2 cells: about a second on one core (estimate)\n"
    lazycore.run(TINY, device="cpu", progress=False)
    lazycore.sweep(config, device="cpu", progress=False)
    assert capsys.readouterr() == ("", "")


def test_what_is_refused_has_said_no_cost(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYLAB_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    config = SweepConfig(base=TINY, axes={"alpha": (1.0, 10.0)})
    missing = RunConfig(task="mnist", n_train=10, n_test=0)
    for call in (
        lambda: lazycore.run(TINY, device="tpu", progress=True),
        lambda: lazycore.run(missing, device="cpu", progress=True),
        lambda: lazycore.sweep(config, device="tpu", progress=True),
    ):
        with pytest.raises(LazyLabError):
            call()
    assert capsys.readouterr() == ("", "")


def test_no_thread_is_left_behind(terminal, at_once):
    import threading

    before = threading.active_count()
    list(progress.reported(SNAPSHOTS, progress=True))
    time.sleep(0.01)
    assert threading.active_count() == before
