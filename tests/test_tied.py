"""Problems whose weights are multiples of each other: one kernel serves them all."""

import numpy as np
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.linear.closed_form import closed_form, flow_filters
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.linear.tangent_lanes import tangent_lanes
from lazycore.engine.problem.data import load
from lazycore.engine.problem.problem import Problem, build_problem
from lazycore.running.batches import Batches, Lane
from lazycore.running.run import run

torch.set_num_threads(1)
CPU = torch.device("cpu")
TEACHER = {"task": "teacher", "n_train": 12, "n_test": 5, "dim": 4, "width": 6}
HOMOGENEOUS = {
    "symmetrised ReLU": {"activation": "relu", "zero_output": "symmetrized", "scaling": "plain"},
    "centred ReLU": {"activation": "relu"},
    "three layers": {"activation": "relu", "model": "fully_connected", "depth": 3},
    "linear": {"activation": "linear", "model": "fully_connected", "depth": 2},
    "more points than weights": {"activation": "relu", "width": 2, "n_train": 60},
    "ten outputs": {"task": "digits", "labels": "ten", "dim": None, "loss": "square"},
}


def problems(scales, **fields) -> list[Problem]:
    """Return the problems at these initial scales, on the same points."""
    values = RunConfig(**(TEACHER | {"activation": "relu"} | fields)).resolve().to_dict()
    data = load(values, CPU)
    return [build_problem(values | {"init_scale": scale}, CPU, data) for scale in scales]


def close(a, b, tolerance=1e-11) -> bool:
    a, b = (torch.as_tensor(part) for part in (a, b))
    return a.shape == b.shape and bool((a - b).norm() <= tolerance * b.norm())


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_a_tied_problem_has_the_kernels_of_its_own(name):
    base, alone, twice = problems((0.5, 3.0, 0.02), **HOMOGENEOUS[name])
    tied = alone.tied(base, 6.0)
    further = twice.tied(tied, 0.02 / 3.0)
    for mine, own in ((tied, alone), (further, twice)):
        assert mine.train.anchor.base is base.train.anchor
        assert close(mine.train.anchor.kernel, tangent_kernel(own.train.features))
        kernel = mine.test.anchor.kernel_with(mine.train.anchor)
        assert close(kernel, tangent_kernel(own.test.features, own.train.features))
        assert mine.train.anchor.layer_kernels.keys() == own.train.anchor.layer_kernels.keys()
        for layer, part in mine.train.anchor.layer_kernels.items():
            assert close(part, own.train.anchor.layer_kernels[layer])
        assert torch.equal(mine.w0, own.w0) and torch.equal(mine.train.start, own.train.start)


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_a_tied_problem_has_the_linearised_path_of_its_own(name):
    base, alone = problems((0.5, 3.0), **HOMOGENEOUS[name])
    spaces = [tangent_space(problem) for problem in (base, alone.tied(base, 6.0), alone)]
    solutions = [closed_form(space) for space in spaces]
    assert solutions[1].vectors is solutions[0].vectors is not solutions[2].vectors
    times = np.array([0.1, 1.0, 30.0]) / float(solutions[2].eigenvalues.max())
    paths = [f.coordinates(flow_filters(f.eigenvalues, times)) for f in solutions]
    for mine, own in zip(paths[1], paths[2], strict=True):
        assert close(spaces[1].outputs(mine), spaces[2].outputs(own), 1e-9)
        assert close(spaces[1].parameters(mine), spaces[2].parameters(own), 1e-9)

    lanes = tangent_lanes(spaces[:2], solutions[:2])
    assert lanes.maps[0] is lanes.maps[1]
    z = -lanes.gradient(torch.zeros(2, lanes.size, dtype=torch.float64))
    outputs, position = lanes.outputs(z)[1], lanes.position(1, z[1])
    assert close(outputs, position.space.train_outputs(z[1:])[0], 1e-9)
    assert close(outputs, alone.train.features.apply(position.parameters), 1e-9)
    assert close(z[1].norm(), position.parameters.norm(), 1e-9)


SCALES = (0.1, 0.4, 2.0, 1e-9, 1e9)


@pytest.mark.parametrize("dynamics", ["flow", "gd"])
@pytest.mark.parametrize("zero_output", ["symmetrized", "none"])
def test_runs_of_many_scales_in_one_batch_are_those_of_each_alone(dynamics, zero_output):
    fields = TEACHER | {"dynamics": dynamics, "zero_output": zero_output, "scaling": "plain"}
    # By itself a flow takes as long as its linearisation does: 10¹⁸ times the network's at 1e-9.
    flow = [{"time": 10.0} if scale < 1.0 else {} for scale in SCALES]
    lengths = [{"steps": 50}] * len(SCALES) if dynamics == "gd" else flow
    configs = [
        RunConfig(**fields, **length, init_scale=scale)
        for scale, length in zip(SCALES, lengths, strict=True)
    ]
    batches = Batches(CPU)
    lanes = [Lane(config) for config in configs]
    found = dict(batches.advance(lanes[:3]))
    found |= {3 + place: result for place, result in batches.advance(lanes[3:])}
    for number, config in enumerate(configs):
        wanted, mine = run(config, device="cpu"), found[number]
        assert mine.digest == wanted.digest and mine.status == wanted.status
        outputs = wanted.series["linearized.output_change"]
        error = wanted.numerical_error if dynamics == "flow" else 1e-11 * np.nanmax(outputs)
        for name in ("gap.train_output", "linearized.output_change"):
            apart = np.nanmax(np.abs(mine.series[name] - wanted.series[name]))
            assert apart <= error + 1e-9 * np.nanmax(wanted.series[name])


def test_only_homogeneous_networks_on_the_same_points_in_float64_are_tied():
    def bases(*more, **fields):
        batches = Batches(CPU)
        given = [RunConfig(**(TEACHER | fields | one)).resolve() for one in more]
        found = batches._shared([Lane(config) for config in given])
        return [problem.train.anchor.base for problem in found]

    scales = [{"init_scale": 1.0}, {"init_scale": 2.0}]
    first, second = bases(*scales, activation="relu")
    assert first is None and second is not None
    for fields in ({"activation": "tanh"}, {"bias": "normal"}, {"dtype": "float32"}):
        assert bases(*scales, **({"activation": "relu"} | fields)) == [None, None]
    for other in ({"data_seed": 7}, {"init_seed": 7}):
        assert bases(scales[0], scales[1] | other, activation="relu") == [None, None]
    deep = {"activation": "relu", "model": "fully_connected", "depth": 20}
    far = [{"init_scale": scale} for scale in (1e-8, 1e-4, 0.1, 1.0, 4.0, 1e4)]
    found = bases(*far, **deep)
    assert [base is None for base in found] == [True, True, True, False, False, True]
