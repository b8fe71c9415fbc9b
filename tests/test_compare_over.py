"""Many comparisons of one module, each as `compare` alone gives it."""

import numpy as np
import pytest
import torch
from torch import nn

from lazycore import compare, compare_over
from lazycore.errors import ConfigError


def net(m=6):
    return nn.Sequential(nn.Linear(2, m), nn.Tanh(), nn.Linear(m, 1)).double()


def data():
    x = torch.linspace(-1.0, 1.0, 14, dtype=torch.float64).view(7, 2)
    return x, x[:, 0] * x[:, 1]


def test_each_cell_is_the_comparison_of_its_values():
    x, y = data()
    found = compare_over(net, x, y, alpha=[1, 30], width=[4, 8], seed=[0, 3], steps=40)
    assert list(found.frame.columns[:3]) == ["alpha", "width", "seed"] and len(found.frame) == 8
    for row in found.frame.itertuples():
        with torch.random.fork_rng():
            torch.manual_seed(row.seed)
            alone = compare(net(row.width), x, y, alpha=row.alpha, steps=40)
        gap = np.nanmax(alone.series["gap.train_output"])
        change = np.nanmax(alone.series["linearized.output_change"])
        assert row.relative_gap == pytest.approx(gap / change, rel=1e-9)
        assert (row.verdict, row.status) == (alone.verdict, "done")


def test_a_module_is_drawn_anew_from_each_seed_and_stays_as_it_was():
    x, y = data()
    torch.manual_seed(0)
    module = net()
    before = [p.clone() for p in module.parameters()]
    state = torch.get_rng_state()
    found = compare_over(module, x, y, seed=[1, 1, 2], steps=5).frame["relative_gap"]
    assert len(found) == 2 and found[0] != found[1]
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert torch.equal(state, torch.get_rng_state())
    as_it_is = compare_over(module, x, y, alpha=[1.0, 2.0], steps=5).frame
    assert "seed" not in as_it_is and len(as_it_is) == 2


def test_a_cell_that_is_refused_is_a_row_that_says_why():
    x, y = data()

    def sometimes(m):
        return net(m) if m > 4 else nn.Sequential(net(m), nn.Dropout(0.5))

    rows = compare_over(sometimes, x, y, width=[4, 8], steps=3).frame
    assert rows["status"].tolist() == ["failed", "done"] and "eval()" in rows["message"][0]
    with pytest.raises(ConfigError, match="eval"):
        compare_over(sometimes, x, y, width=[4], steps=3)


def test_wrong_calls_are_answered_in_a_sentence():
    x, y = data()
    with pytest.raises(ConfigError, match="width is not for a module"):
        compare_over(net(), x, y, width=[3])
    with pytest.raises(ConfigError, match="module is a int"):
        compare_over(3, x, y)
    with pytest.raises(ConfigError, match="alpha=2 is not allowed: give a list"):
        compare_over(net(), x, y, alpha=2)
    with pytest.raises(ConfigError, match="alpha is empty"):
        compare_over(net(), x, y, alpha=[])
    with pytest.raises(ConfigError, match="alpha=-1"):
        compare_over(net(), x, y, alpha=[-1.0])

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(2, dtype=torch.float64))

        def forward(self, x):
            return torch.tanh(x @ self.w)

    with pytest.raises(ConfigError, match="parameter w belongs to no layer"):
        compare_over(Own(), x, y, seed=[0], steps=3)
