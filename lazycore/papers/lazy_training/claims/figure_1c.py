"""Figure 1(c) of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): test loss against τ."""

from collections.abc import Mapping

from lazycore.papers.agreement import value_at
from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.figures import figure_1c
from lazycore.papers.reproduction import Curve
from lazycore.papers.tables import configs, gathered
from lazycore.results.run import RunResult

SOURCE = "Chizat, Oyallon & Bach 2019, Figure 1(c)"
SHORT_TAUS, SHORT_STEPS = (0.01, figure_1c.TAUS[12], figure_1c.TAUS[25]), 2000
"""τ = 0.01, 0.1 and 2 at a fifth of the steps."""
SHORT = figure_1c.descent(SHORT_TAUS, range(2), SHORT_STEPS)
REDUCED = figure_1c.descent(figure_1c.QUICK_TAUS, range(5))
FULL = figure_1c.descent(figure_1c.TAUS, range(10))
RISES_TO = 0.316


def _shown(one: Curve) -> list[Row]:
    """Return the line as rows that are shown and not judged."""
    return [
        Row(
            f"Fig. 1(c), {one.line} at τ = {x:.3g}, test loss × 1000",
            f"{mean:.3f} (standard deviation {std:.3f}, N = {count})",
            "shown",
            None,
        )
        for x, mean, std, count in zip(one.x, one.mean, one.std, one.counts, strict=True)
    ]


def _rises(one: Curve, up_to: float) -> Row:
    means = [float(m) for x, m in zip(one.x, one.mean, strict=True) if x <= 1.01 * up_to]
    holds = len(means) > 1 and all(a < b for a, b in zip(means, means[1:], strict=False))
    said = " < ".join(f"{mean:.3f}" for mean in means) if holds else f"{means}"
    return Row(f"Fig. 1(c), {one.line}: rises with τ up to {up_to:.3g}", said, "monotone", holds)


def _judge_short(results: Mapping[str, RunResult]) -> list[Row]:
    end = figure_1c.lines(gathered(SHORT, results))[0]
    return [*_shown(end), _rises(end, SHORT_TAUS[-1])]


def _judge_reduced(results: Mapping[str, RunResult]) -> list[Row]:
    found = gathered(REDUCED, results)
    end, best = figure_1c.lines(found)[:2]
    small, large, top = value_at(end, 0.01), value_at(end, 1.0), value_at(best, 1.0)
    rows = [*_shown(end), *_shown(best)]
    rows += [
        Row("Fig. 1(c): end at τ = 0.01", f"{small:.3f}", "< 0.15", small < 0.15),
        Row("Fig. 1(c): end at τ = 1", f"{large:.3f}", "2.4 to 4.0", 2.4 <= large <= 4.0),
        Row("Fig. 1(c): best at τ = 1", f"{top:.3f}", "1.75 to 2.35", 1.75 <= top <= 2.35),
        Row(
            "Fig. 1(c): end at τ = 1 over τ = 0.01",
            f"{large / small:.1f}",
            "> 15",
            large > 15 * small,
        ),
        _rises(end, RISES_TO),
    ]
    return rows + figure_1c.agreement(found)


def _judge_full(results: Mapping[str, RunResult]) -> list[Row]:
    found = gathered(FULL, results)
    return [row for one in figure_1c.lines(found) for row in _shown(one)] + figure_1c.agreement(
        found
    )


CHECKS = (
    Check(
        name="figure-1c-short",
        source=SOURCE,
        runs=configs(SHORT),
        judge=_judge_short,
    ),
    Check(
        name="figure-1c",
        source=SOURCE,
        runs=configs(REDUCED),
        judge=_judge_reduced,
        slow=True,
    ),
    # Some 20 minutes on two cores; its name does not begin as the others', so that
    # `check figure-*` leaves it out.
    Check(
        name="whole-figure-1c",
        source=SOURCE,
        runs=configs(FULL),
        judge=_judge_full,
        slow=True,
    ),
)
