"""What a module keeps beside weights, the copy that is made of it, and where generators stand."""

import random
import threading
from typing import Any

import numpy as np
import pytest
import torch
from module_row import Made
from torch import nn

from lazycore.engine.networks.held_module import HeldModule, private_copy
from lazycore.engine.networks.inputs import Inputs, alike, inputs_for, same_bytes
from lazycore.engine.networks.state import State, generators
from lazycore.running.compare.randomness import are_drawn, culprits, seed_all, states, undisturbed


def module() -> Any:
    m: Any = Made(lambda m, x: m.a(x), a=nn.Linear(3, 2))
    m.calls, m.seen, m.log, m.hidden = 0, torch.zeros(2), [1], None
    return m


def test_attributes_are_put_back_in_place():
    m = module()
    seen, log, kept = m.seen, m.log, State.of(m)
    assert kept.changed() == []
    m.calls, m.hidden, m.new = 3, torch.ones(1), "x"
    m.seen += 1.0
    m.log.append(2)
    m.a.last = 5
    assert set(kept.changed()) == {"calls", "seen", "log", "hidden", "new", "last"}
    kept.put_back()
    assert kept.changed() == [] and m.log is log and log == [1] and m.calls == 0
    assert m.seen.eq(0.0).all() and m.hidden is None and not hasattr(m, "new")
    m.seen = seen
    assert not hasattr(m.a, "last")


def test_an_attribute_that_is_taken_away_comes_back():
    m = module()
    kept = State.of(m)
    del m.calls
    assert kept.changed() == ["calls"]
    kept.put_back()
    assert m.calls == 0


def test_generators_that_a_module_holds_are_seen_to_move():
    m = module()
    m.g, m.n = torch.Generator().manual_seed(0), np.random.default_rng(0)
    m.o, m.p = np.random.RandomState(0), random.Random(0)
    for draw in (
        lambda: torch.rand(1, generator=m.g),
        lambda: m.n.random(),
        lambda: m.o.rand(),
        lambda: m.p.random(),
    ):
        before = generators(m)
        assert before == generators(m) and len(before) == 4
        draw()
        assert sum(a != b for a, b in zip(before, generators(m), strict=True)) == 1


def test_a_copy_shares_locks_and_nothing_that_training_changes():
    m = module()
    m.lock, m.computed = threading.Lock(), m.a.weight * 2.0
    m.table = {"lock": m.lock, "numbers": [1]}
    found: Any = private_copy(m)
    assert found.lock is m.lock and found.a.weight is not m.a.weight
    assert torch.equal(found.a.weight, m.a.weight)
    assert torch.equal(found.computed, m.computed) and found.computed.is_leaf
    found.table["more"] = 1
    found.log.append(9)
    assert "more" not in m.table and m.log == [1]
    with torch.no_grad():
        found.computed.zero_()
    assert m.computed.ne(0.0).any()


def test_a_copy_keeps_ties_and_has_dense_gradients_of_embeddings():
    m: Any = nn.Sequential(nn.Embedding(4, 2, sparse=True), nn.EmbeddingBag(4, 2, sparse=True))
    m[1].weight = m[0].weight
    found: Any = private_copy(m)
    assert found[0].weight is found[1].weight is not m[0].weight
    assert not found[0].sparse and not found[1].sparse and m[0].sparse and m[1].sparse


def test_weights_are_held_and_released_under_every_name_with_fresh_buffers():
    one = nn.Linear(2, 2, bias=False)
    m: Any = Made(lambda m, x: m.b(m.a(x)), a=one, b=nn.Sequential(one), count=torch.zeros(1))
    weight, buffer, held = one.weight, m.count, HeldModule(m)
    assert [block.layer for block in held.blocks] == ["a.weight"] and held.is_plain
    x, w = torch.eye(2), torch.tensor([2.0, 0.0, 0.0, 3.0])
    with held.at(held.parts(w)) as at:
        assert at(x).equal(torch.diag(torch.tensor([4.0, 9.0])))
        m.count += 1.0
        assert held.changed_buffers() == ["count"]
    assert one.weight is weight and m.count is buffer and buffer == 0.0
    assert held.weights().equal(weight.detach().reshape(-1))


def test_a_complex_weight_is_two_real_numbers():
    w = torch.tensor([1.0 + 2.0j, 3.0 - 4.0j])
    held = HeldModule(Made(lambda m, x: m.w, w=nn.Parameter(w)), torch.float32)
    assert held.weights().tolist() == [1.0, 2.0, 3.0, -4.0] and not held.is_plain
    assert held.parts(held.weights())[0].equal(w)


@pytest.mark.parametrize(
    ("forward", "value", "spread"),
    [
        (lambda self, a, b: a + b, {"a": 1, "b": 2}, True),
        (lambda self, batch: batch, {"a": 1, "b": 2}, False),
        (lambda self, **batch: batch, {"a": 1, "b": 2}, True),
        (lambda self, a, b: a + b, (1, 2), True),
        (lambda self, a, b: a + b, [1, 2], True),
        (lambda self, pair: pair, (1, 2), False),
    ],
)
def test_inputs_are_spread_where_the_module_takes_them_so(forward, value, spread):
    kind = type("Kind", (nn.Module,), {"forward": forward})()
    assert inputs_for(kind, value, "x").spread is spread
    inputs_for(kind, value, "x").call(kind)


def test_what_is_no_tensor_goes_on_as_it_is():
    inputs = Inputs({"a": torch.arange(3), "mode": "mean", "b": torch.ones(3, 2)})
    assert [name for name, _ in inputs.tensors()] == ["['a']", "['b']"]
    assert inputs.shapes == "(3,), (3, 2)"
    some = inputs.of(torch.tensor([2, 0])).value
    assert some["a"].tolist() == [2, 0] and some["mode"] == "mean" and some["b"].shape == (2, 2)
    assert same_bytes(inputs, inputs.each(torch.clone))
    assert not same_bytes(inputs, inputs.each(lambda part: part + 1))


def test_not_a_number_is_alike_itself_and_dtypes_differ():
    nan = torch.tensor([torch.nan, 1.0])
    assert alike(nan, nan.clone()) and not alike(nan, torch.ones(2))
    assert not alike(torch.ones(2), torch.ones(2).double())
    assert not alike(torch.ones(2), torch.ones(3)) and alike(torch.arange(2), torch.arange(2))


def test_generators_are_where_they_were_also_after_an_error():
    before = states()
    with pytest.raises(KeyboardInterrupt), undisturbed():
        assert seed_all(5) == states() != before
        raise KeyboardInterrupt
    assert states() == before


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), np.random.rand, random.random])
def test_a_pass_that_draws_is_seen_and_one_that_sets_the_seed_itself_is_not(draw):
    def passes(before):
        found = []
        for seed in (1, 2):
            begun = seed_all(seed)
            before()
            draw()
            found.append((begun, states()))
        return found

    with undisturbed():
        assert are_drawn(passes(lambda: None))
        assert not are_drawn(passes(lambda: seed_all(0)))


def test_layers_that_draw_are_named_only_in_training():
    m = nn.Sequential(nn.Dropout(0.0), nn.Dropout(0.5), nn.RReLU(), nn.LSTM(2, 2, 2, dropout=0.1))
    assert culprits(m) == "1 (Dropout), 2 (RReLU), 3 (LSTM)"
    assert culprits(m.eval()) == "" and culprits(nn.Dropout()) == "the module (Dropout)"
