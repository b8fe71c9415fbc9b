"""The benchmark of convolutional networks says what it is to say. Never how long it takes."""

import torch

from benchmarks import cnn
from benchmarks._timing import Bar, Table


def test_it_compares_the_gradients_of_both_models_and_measures_memory_in_a_process_of_its_own():
    threads = torch.get_num_threads()
    found = list(cnn.measure("tiny"))
    torch.set_num_threads(threads)
    tables = {said.title: said for said in found if isinstance(said, Table)}
    steps = tables["a linearised step"]
    row = dict(zip(steps.columns, steps.rows[0], strict=True))
    assert row["p"] == 23_946 and row["products"] > 0 and row["kept"] > 0
    assert row["apart"] < 1e-6, "at α = 10⁷ they are one"
    memory = tables["one step of both models at α = 10⁷"].rows[0]
    assert 0.05 < memory[2] < 4.0 and memory[3] < 1e-6
    assert sum(isinstance(said, Bar) for said in found) == 2
    assert "7.7e+16 operations" in str(found[-1])


def test_epochs_are_those_of_the_device_that_is_named():
    threads = torch.get_num_threads()
    _, table, _ = cnn.measure("tiny", "cpu")
    torch.set_num_threads(threads)
    assert isinstance(table, Table) and table.title.endswith("on cpu")
    for _, step, epoch, whole, rate in table.rows:
        assert min(step, epoch, whole, rate) > 0.0
        assert epoch == 1e-3 * step * 50_000 / 2 and abs(whole - 560 * epoch / 3600) < 1e-9
