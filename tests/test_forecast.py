"""What a person is told of the cost before anything starts."""

import pytest

from lazycore import RunConfig, SweepConfig
from lazycore.config import forecast
from lazycore.config.cost import estimate


def test_steps_that_are_counted_cost_what_the_budget_says():
    config = RunConfig(task="sine", dynamics="gd", steps=3000)
    assert forecast.seconds(config) == estimate(config).seconds


def test_an_adaptive_run_costs_what_lies_between_its_evaluations_too():
    config = RunConfig(task="sine")
    cost = estimate(config)
    # 6,000 evaluations for the 2,000 that the budget counts, each with half a millisecond more.
    wanted = cost.seconds + 4000 * cost.evaluation_seconds + 3.0
    assert forecast.seconds(config) == pytest.approx(wanted)
    assert 3.0 < wanted < 10.0


def test_runs_that_advance_together_share_what_lies_between_where_their_networks_can():
    sine, images = RunConfig(task="sine"), RunConfig(task="digits", model="cnn", dynamics="gd")
    assert forecast.seconds(sine) - forecast.seconds(sine, together=5) == pytest.approx(2.4)
    assert forecast.seconds(images) == forecast.seconds(images, together=5)


def test_a_sweep_costs_what_its_cells_do_and_one_alone_shares_with_nobody():
    cells = SweepConfig.from_text({"task": "sine", "alpha": "1,10,100", "width": "10,20"}).cells
    alone = [forecast.seconds(cell.config) for cell in cells]
    assert forecast.sweep_seconds(cells) == pytest.approx(sum(alone))
    three = [forecast.seconds(cell.config, together=3) for cell in cells]
    assert forecast.sweep_seconds(cells, together=5) == pytest.approx(sum(three))
    assert sum(three) < sum(alone)
    assert forecast.sweep_seconds(cells[:1], together=5) == pytest.approx(alone[0])
    assert forecast.sweep_seconds([]) == 0.0


@pytest.mark.parametrize(
    ("about", "cores", "said"),
    [
        (0.0, 1, "about a second on one core (estimate)"),
        (12.3, 1, "about 12 s on one core (estimate)"),
        (60.0, 2, "about 30 s on 2 cores (estimate)"),
        (7200.0, 1, "about 2 hours on one core (estimate)"),
    ],
)
def test_a_cost_is_said_in_the_unit_a_person_would_use(about, cores, said):
    assert forecast.told(about, cores) == said
