"""What a caller has set in torch changes no number of a run, and is theirs again at once."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import pytest
import torch

import lazycore
from lazycore import RunConfig, RunResult, SweepConfig
from lazycore.machine.surroundings import apart, each_apart

TINY = {"task": "teacher", "dim": 3, "n_train": 6, "n_test": 4, "width": 4}
GD = TINY | {"dynamics": "gd", "steps": 20}
CONFIGS = {
    "gd": RunConfig(**GD),
    "float32": RunConfig(**GD, dtype="float32"),
    "flow": RunConfig(**TINY, activation="tanh", time=1.0),
    "sgd": RunConfig(**TINY, dynamics="sgd", steps=10, batch_size=2),
    "deep logistic": RunConfig(**GD, model="fully_connected", depth=2, loss="logistic"),
    "kernels": RunConfig(**GD, keep="kernels"),
    "refreshed": RunConfig(**GD, refresh_every=5),
    "convolutional": RunConfig(
        task="digits", model="cnn", width_multiplier=0.25, n_train=4, n_test=2, steps=3
    ),
}


def changed(get: Callable, put: Callable, value: object) -> Callable[[], AbstractContextManager]:
    """Return what sets something of torch for a while."""

    @contextmanager
    def setting() -> Iterator[None]:
        before = get()
        put(value)
        try:
            yield
        finally:
            put(before)

    return setting


SETTINGS: dict[str, Callable[[], AbstractContextManager]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "default dtype": changed(torch.get_default_dtype, torch.set_default_dtype, torch.float64),
    "half by default": changed(torch.get_default_dtype, torch.set_default_dtype, torch.float16),
    "default device": lambda: torch.device("meta"),
    "deterministic": changed(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, True
    ),
    "three threads": changed(torch.get_num_threads, torch.set_num_threads, 3),
    "fewer digits": changed(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "medium"
    ),
    "anomalies looked for": torch.autograd.detect_anomaly,
}


def settings() -> dict[str, object]:
    """Return what a caller may have set, as it is here and now."""
    return {
        "autocast": torch.is_autocast_enabled("cpu"),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": torch.get_num_threads(),
        "digits": torch.get_float32_matmul_precision(),
    }


def equal(a: RunResult, b: RunResult) -> bool:
    """Whether two results hold the same numbers, bit by bit."""
    groups = ((a.series, b.series), (a.sparse, b.sparse))
    same = all(np.array_equal(x[k], y[k], equal_nan=True) for x, y in groups for k in x)
    return same and all(x.keys() == y.keys() for x, y in groups)


@pytest.fixture(scope="module")
def alone() -> dict[str, RunResult]:
    """Each run with nothing set."""
    return {name: lazycore.run(config, device="cpu") for name, config in CONFIGS.items()}


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_the_caller_changes_a_number_of_a_run(alone, setting):
    for name, config in CONFIGS.items():
        with SETTINGS[setting]():
            before = settings()
            found = lazycore.run(config, device="cpu")
            assert settings() == before
        assert equal(found, alone[name]), name


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("setting", SETTINGS)
def test_whoever_iterates_has_their_own_settings_at_every_snapshot(alone, setting):
    with SETTINGS[setting]():
        before, seen = settings(), []
        for snapshot in lazycore.train(CONFIGS["gd"], device="cpu"):
            assert settings() == before
            seen.append(snapshot)
    assert equal(RunResult.collect(CONFIGS["gd"], seen), alone["gd"])


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_the_caller_changes_a_cell_of_a_sweep(setting):
    config = SweepConfig(base=CONFIGS["float32"], axes={"alpha": (1.0, 10.0)})
    wanted = lazycore.sweep(config, device="cpu", threads=1)
    with SETTINGS[setting]():
        before = settings()
        found = lazycore.sweep(config, device="cpu", threads=1)
        assert settings() == before
    assert found.frame.equals(wanted.frame)


def test_a_run_can_be_had_where_an_event_loop_is_running_as_in_a_notebook(alone):
    async def cell() -> RunResult:
        return lazycore.run(CONFIGS["gd"], device="cpu", progress=True)

    assert equal(asyncio.run(cell()), alone["gd"])


def test_settings_come_back_when_a_run_is_left_in_the_middle_or_fails():
    before = settings()
    stream = lazycore.train(CONFIGS["gd"], device="cpu")
    next(stream)
    stream.close()
    assert settings() == before
    with pytest.raises(ZeroDivisionError), apart(torch.device("cpu")):
        raise ZeroDivisionError
    assert settings() == before


def test_what_is_iterated_apart_is_closed_with_whoever_iterates():
    ended = []

    def items() -> Iterator[int]:
        try:
            yield from (1, 2, 3)
        finally:
            ended.append(True)

    stream = each_apart(items(), nullcontext)
    assert next(stream) == 1
    stream.close()
    assert ended == [True]
    assert list(each_apart(iter([1, 2]), nullcontext)) == [1, 2]


def test_digits_that_were_set_place_by_place_are_all_there_inside():
    place = torch.backends.mkldnn.matmul
    before = place.fp32_precision
    try:
        place.fp32_precision = "bf16"
        with apart(torch.device("cpu")):
            assert place.fp32_precision == "ieee"
        assert place.fp32_precision == "bf16"
    finally:
        place.fp32_precision = before


def test_convolutions_on_a_gpu_have_all_digits_and_only_there():
    short = torch.backends.cudnn.allow_tf32
    for device, wanted in (("cuda", False), ("cpu", short)):
        with apart(torch.device(device)):
            assert torch.backends.cudnn.allow_tf32 is wanted
        assert torch.backends.cudnn.allow_tf32 is short
