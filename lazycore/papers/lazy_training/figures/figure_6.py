"""Figure 6: the neurons of a wide network, with and without pairing."""

from collections.abc import Sequence
from functools import partial

from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._neurons import displacement, final_loss, plane_run
from lazycore.papers.reproduction import FULL, QUICK, Found, Job, Reproduction, Scale, Setting, Size
from lazycore.results.run import RunResult

WIDTH, POINTS = 200, 200
PARTS = {
    "(a) τ = 0.1, paired": (0.1, "symmetrized"),
    "(b) τ = 2, not paired": (2.0, "none"),
    "(c) τ = 2, paired": (2.0, "symmetrized"),
}


def runs(steps: bool) -> list[Job]:
    """Return the three runs of the figure."""
    return [
        plane_run(tau, width=WIDTH, n_train=POINTS, zero_output=zero, steps=steps)
        for tau, zero in PARTS.values()
    ]


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare how far the neurons move: most at τ = 0.1, least at τ = 2 if paired."""
    results = [result if isinstance(result, RunResult) else None for result in found]
    moved = [None if result is None else displacement(result) for result in results]
    rows = [
        Row(
            f"{part}: relative displacement of |a|b, training loss",
            "not computed yet"
            if far is None or result is None
            else f"{far:.3g}, {final_loss(result):.1e}",
            "",
            None,
        )
        for part, far, result in zip(PARTS, moved, results, strict=True)
    ]
    rich, alone, paired = moved
    if rich is not None and alone is not None and paired is not None:
        holds = rich > alone > paired
        said = f"{rich:.3g} > {alone:.3g} > {paired:.3g}"
        rows.append(
            Row(
                "unpaired neurons move more, to cancel the output of the start",
                said,
                "(a) > (b) > (c)",
                holds,
            )
        )
    return rows


REPRODUCTION = Reproduction(
    name="6",
    title="Figure 6: the same with 200 neurons and 200 points",
    caption="In the paper (a) the neurons gather from a small scale; (b) from a large one without "
    "pairing they move a little, to cancel the output of the start; (c) paired they stay. With 200 "
    "Gaussian neurons mτ² = 2 is not small, and computed here (a) is less rich than Figure 1(a). "
    "The paper draws paths without numbers, so that nothing could be read off.",
    x=Scale(title="|a| b₁ (weight units²)"),
    y=Scale(title="|a| b₂ (weight units²)"),
    kind="neurons",
    settings=(
        Setting(
            name="text",
            differs="The paper's text; it gives no steps, so that those of Figure 1(a, b) are "
            "taken.",
            sizes={
                QUICK: Size(
                    said="Three runs by gradient flow to T = 500: about a minute.",
                    make=partial(runs, False),
                ),
                FULL: Size(
                    said="Three runs by 100,000 steps of 0.005: some minutes.",
                    make=partial(runs, True),
                ),
            },
        ),
    ),
    agreement=agreement,
)
