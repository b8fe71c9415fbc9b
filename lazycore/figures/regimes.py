"""Lazy, crossover and rich beside each other: the losses of three runs that differ in α."""

from collections.abc import Sequence

from lazycore.figures import finding, losses, style
from lazycore.figures.style import Figure
from lazycore.results.run import RunResult


def figure(results: Sequence[RunResult], log: bool = True) -> Figure:
    """Return the losses of these runs side by side on one scale."""
    data, layout, notes = [], {}, []
    width = 1.0 / max(len(results), 1)
    for i, result in enumerate(results):
        end = "" if i == 0 else str(i + 1)
        axes = {"xaxis": f"x{end}", "yaxis": f"y{end}", "showlegend": i == 0}
        data += [trace | axes for trace in losses.curves(result, "loss", log)]
        domain = [i * width + (0.02 if i else 0.0), (i + 1) * width - 0.02]
        layout[f"xaxis{end}" if end else "x"] = style.time_axis(
            log, domain=domain, anchor=f"y{end}"
        )
        title = f"loss R(αh) ({style.loss_unit(result)})" if i == 0 else ""
        layout[f"yaxis{end}" if end else "y"] = style.axis(
            title, log, anchor=f"x{end}", showticklabels=i == 0, **({"matches": "y"} if i else {})
        )
        label = f"<b>{result.verdict}</b>, α = {(result.config or {}).get('alpha', 1):g}"
        notes.append(style.note(label, x=sum(domain) / 2, xanchor="center", yanchor="bottom"))
    return style.figure(
        data,
        title="Three regimes of training",
        subtitle="the same network and data, only α differs",
        alt=finding.sentences(
            f"{result.verdict} at α = {(result.config or {}).get('alpha', 1):g}, training loss: "
            f"{finding.of_models(result, 'train', 'loss')}"
            for result in results
        ),
        annotations=notes,
        margin={"l": 62, "r": 14, "t": 96, "b": 84},
        **layout,
    )
