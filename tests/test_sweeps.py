"""A sweep computes each cell as the run that it is, once, and drops none."""

import pytest
import sweep_standin

import lazycore
from lazycore import RunConfig, SweepConfig, SweepResult
from lazycore.config.cost import Budget
from lazycore.errors import BudgetError, ConfigError, LazyLabError, StoreFull
from lazycore.results.quantities import measure
from lazycore.results.store import ResultStore
from lazycore.running import sweeps

SWEEP = sweep_standin.sweep()
DIGESTS = [cell.digest for cell in SWEEP.cells]


@pytest.fixture
def store(tmp_path):
    store = ResultStore(tmp_path)
    yield store
    store.close()


@pytest.fixture
def lanes(monkeypatch):
    """What lanes are asked for; each run is made up, and fails where its digest is in `bad`."""
    asked, bad = [], set()

    def run_lanes(configs, *, device=None, threads=1, budget=None):
        asked.append([config.digest for config in configs])
        for number in reversed(range(len(configs))):
            if configs[number].digest in bad:
                raise LazyLabError(f"{configs[number].digest} has no luck.")
            yield number, sweep_standin.result(configs[number])

    monkeypatch.setattr(sweeps, "run_lanes", run_lanes)
    return asked, bad


def test_each_cell_is_the_run_that_it_would_be_alone(store):
    table = lazycore.sweep(SWEEP, device="cpu", store=store, threads=1)
    assert isinstance(table, SweepResult) and table.done == 6
    for cell in SWEEP.cells:
        alone = lazycore.run(cell.config, device="cpu")
        kept = store.get(cell.digest)
        assert table.verdict(cell.digest) == kept.verdict and table.status(cell.digest) == "done"
        found, wanted = measure(kept), measure(alone)
        # Lanes may add up in another order than a run alone: equal to rounding.
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)


def test_without_a_store_nothing_is_kept_and_the_table_is_the_same(store):
    kept = lazycore.sweep(SWEEP, device="cpu", store=store, threads=1)
    table = lazycore.sweep(SWEEP, device="cpu", threads=1)
    assert table.values == pytest.approx(kept.values, rel=1e-6, abs=1e-9, nan_ok=True)


def test_a_diverging_cell_is_a_row_that_says_so(store):
    config = sweep_standin.sweep(step_size="0.01,1e4", steps="50")
    table = lazycore.sweep(config, device="cpu", store=store)
    assert table.frame["status"].tolist() == ["done", "diverged"]
    assert store.get(config.cells[1].digest).status == "diverged"


def test_what_the_store_has_comes_first_and_is_not_computed(store, lanes):
    asked, _ = lanes
    for cell in SWEEP.cells[::2]:
        store.put(cell.digest, sweep_standin.result(cell.config).to_bytes())
    order = [cell.digest for cell, _ in sweeps.cells(SWEEP, device="cpu", store=store)]
    assert asked == [DIGESTS[1::2]]
    assert order == DIGESTS[::2] + DIGESTS[1::2][::-1]
    assert list(sweeps.cells(SWEEP, device="cpu", store=store)) and len(asked) == 1


def test_a_cell_is_in_the_store_when_it_is_yielded_and_whoever_iterates_may_stop(store, lanes):
    for number, (cell, _) in enumerate(sweeps.cells(SWEEP, device="cpu", store=store)):
        assert cell.digest in store
        if number == 1:
            break
    assert len(store.digests()) == 2


@pytest.mark.parametrize("bad", [[0], [5], [2, 3], range(6)], ids=str)
def test_a_cell_that_fails_is_found_and_takes_no_other_along(store, lanes, bad):
    _, failing = lanes
    failing |= {DIGESTS[place] for place in bad}
    table = lazycore.sweep(SWEEP, device="cpu", store=store)
    said = [table.status(digest) for digest in DIGESTS]
    assert said == ["failed" if place in bad else "done" for place in range(6)]
    for place in bad:
        assert table.message(DIGESTS[place]) == f"{DIGESTS[place]} has no luck."
        assert DIGESTS[place] not in store


def test_a_sweep_over_the_budget_is_refused_before_anything_is_computed(lanes):
    asked, _ = lanes
    with pytest.raises(BudgetError):
        lazycore.sweep(SWEEP, budget=Budget(seconds=1e-9))
    assert asked == []
    assert lazycore.sweep(SWEEP, device="cpu", budget=None).done == 6


def test_a_run_that_a_budget_ended_is_stored_under_the_default_budget_only(
    store, lanes, monkeypatch
):
    asked, _ = lanes

    def ended(config):
        return sweep_standin.result(config, "budget")

    for cell in SWEEP.cells:
        store.put(cell.digest, ended(cell.config).to_bytes())
    assert lazycore.sweep(SWEEP, device="cpu", store=store).done == 6 and asked == []
    more = Budget(seconds=1e6)
    lazycore.sweep(SWEEP, device="cpu", store=store, budget=more)
    assert asked == [DIGESTS], "a larger budget may bring each of them further"
    assert all(store.get(digest).status == "done" for digest in DIGESTS)
    monkeypatch.setattr(sweeps, "run_lanes", lambda configs, **_: enumerate(map(ended, configs)))
    other = sweep_standin.sweep(alpha="2,3,4")
    lazycore.sweep(other, device="cpu", store=store, budget=more)
    assert not any(cell.digest in store for cell in other.cells)


@pytest.mark.parametrize("wrong", [{"alpha": [1, 2]}, RunConfig(), None])
def test_what_is_no_sweep_is_refused_by_name(wrong):
    with pytest.raises(
        ConfigError, match=f"config is a {type(wrong).__name__}: give a SweepConfig"
    ):
        lazycore.sweep(wrong)


def test_a_folder_is_no_store(tmp_path, lanes):
    with pytest.raises(
        ConfigError, match=r"store is a PosixPath: give one of open_store\(folder\)"
    ):
        lazycore.sweep(SWEEP, device="cpu", store=tmp_path)


def test_a_device_that_is_not_there_is_a_wrong_call_and_no_failed_cell(lanes):
    with pytest.raises(ConfigError, match="device=tpu"):
        lazycore.sweep(SWEEP, device="tpu")


def test_a_store_that_takes_no_more_ends_the_sweep(tmp_path, lanes):
    small = ResultStore(tmp_path, size_limit=100)
    with pytest.raises(StoreFull):
        lazycore.sweep(SWEEP, device="cpu", store=small)
    small.close()


def test_the_cells_of_a_sweep_in_python_are_those_of_its_text():
    config = SweepConfig(
        base=RunConfig(task="sine", dynamics="gd", steps=5, width=4, n_train=4, n_test=0),
        axes={"alpha": (1, 10), "init_seed": range(3)},
    )
    assert config == SWEEP and config.digest == SWEEP.digest
