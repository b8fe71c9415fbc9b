"""A figure to take away: its numbers, a page that stands alone, and the code that makes it."""

import csv as csv_writer
import dataclasses
import html as markup
import importlib.util
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lazycore.config.run import RunConfig, pinned_fields
from lazycore.errors import ConfigError
from lazycore.figures.style import Figure
from lazycore.machine.extras import need

DECORATION = "decoration"
"""The `meta` of a trace that holds no numbers of its own."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="margin:16px;background:#fff;font-family:sans-serif">
<div id="figure" role="img" aria-label="{alt}"></div>
<script>{plotly}</script>
<script>const figure = {figure};
Plotly.newPlot("figure", figure.data, figure.layout, {{responsive: true}})
  .then((plot) => figure.frames && Plotly.addFrames(plot, figure.frames));</script>
</body></html>
"""


def plotly_script() -> Path:
    """Return the path of plotly.min.js in the installed wheel, without importing plotly."""
    need("a figure's page", "plotly")
    package = importlib.util.find_spec("plotly")
    assert package is not None and package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def csv(figure: Figure) -> str:
    """Return the numbers of the figure: one row a point, named by its curve and its axes."""
    names = [_title(figure, axis) for axis in ("xaxis", "yaxis")]
    maps = any("z" in trace for trace in figure["data"])
    out = io.StringIO()
    writer = csv_writer.writer(out, lineterminator="\n")
    writer.writerow(["curve", *names, *(["value"] * maps)])
    for trace in figure["data"]:
        if trace.get("meta") == DECORATION:
            continue
        label = trace.get("name") or _panel(figure, trace)
        if "z" in trace:
            # Where z is a logarithm, what it is of stands beside it.
            # Where x and y are the edges of cells, the cells' own places stand beside them too;
            # where there are none, as plotly has it: 0, 1, 2 …
            z = trace.get("customdata", trace["z"])
            counted = {"x": range(len(z[0]) if z else 0), "y": range(len(z))}
            places = counted | {axis: trace[axis] for axis in counted if axis in trace}
            xs, ys = (trace.get("meta", {}).get(axis, places[axis]) for axis in ("x", "y"))
            for y, row in zip(ys, z, strict=True):
                writer.writerows([label, x, y, z] for x, z in zip(xs, row, strict=True))
        else:
            rows = zip(trace["x"], trace["y"], strict=True)
            writer.writerows([label, x, y] for x, y in rows if x is not None)
    return out.getvalue()


def html(figure: Figure) -> str:
    """Return a page that shows the figure anywhere, offline: plotly is in it (5 MB)."""
    layout = figure["layout"]
    return PAGE.format(
        title=markup.escape(layout["title"]["text"]),
        alt=markup.escape(layout["meta"]["alt"]),
        plotly=plotly_script().read_text(encoding="utf-8"),
        # "</" would end the script element wherever it stood in a text.
        figure=json.dumps(figure).replace("</", "<\\/"),
    )


def minimal(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fewest fields that name the same run, in the order of the config.

    What comes last is left out first: seeds that follow from `seed` before `seed` itself. What
    was read from a file stays, for the file may be another one by then.
    """
    whole = RunConfig.from_dict(config)
    wanted, kept = whole.digest, whole.given()
    pinned = pinned_fields(whole.resolve().to_dict())
    for name in list(kept)[::-1]:
        if name in pinned:
            continue
        fewer = {k: v for k, v in kept.items() if k != name}
        if _digest(fewer) == wanted:
            kept = fewer
    return kept


def command(config: Mapping[str, Any]) -> str:
    """Return the command line that computes the run into a file."""
    flags = " ".join(f"--{k.replace('_', '-')} {_plain(v)}" for k, v in minimal(config).items())
    return f"python -m lazycore run {flags} --out run.npz".replace("run  --", "run --")


def code(config: Mapping[str, Any] | None, call: str) -> str:
    """Return the command line, and Python, that reproduce a figure of one run.

    `call` is the function of one result that draws it, as `losses.figure`.
    """
    imports = _imports(call)
    shown = f"go.Figure({call}(result)).show()"
    if config is None:
        # The run of a user's own module: only its file can be opened again.
        given = ["from lazycore import RunResult", "", 'result = RunResult.load("run.npz")']
        return "\n".join([*imports, *given, shown])
    lines = [
        f"# {command(config)}",
        "import lazycore",
        *imports,
        "",
        f"config = {_call(minimal(config))}",
        "result = lazycore.run(config)",
        "print(result.verdict, result.numerical_error)",
        shown,
    ]
    return "\n".join(lines)


def code_over_alpha(configs: Sequence[Mapping[str, Any]], call: str) -> str:
    """Return the Python that reproduces a figure of several runs that differ in α only."""
    shared = {k: v for k, v in minimal(configs[0]).items() if k != "alpha"}
    alphas = ", ".join(f"{config['alpha']!r}" for config in configs)
    lines = [
        "import lazycore",
        *_imports(call),
        "",
        f"alphas = [{alphas}]",
        f"results = [lazycore.run({_call(shared, alpha='a')}) for a in alphas]",
        f"go.Figure({call}(results)).show()",
    ]
    return "\n".join(lines)


def code_of_several(configs: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return the Python that reproduces one curve of several runs in one figure."""
    given = ",\n    ".join(repr(minimal(config)) for config in configs)
    lines = [
        "import lazycore",
        "from lazycore.results.groups import grouped",
        *_imports("overlay.figure"),
        "",
        f"fields = [\n    {given},\n]",
        "results = [lazycore.run(lazycore.RunConfig.from_dict(f)) for f in fields]",
        f'go.Figure(overlay.figure(grouped(results), "{name}")).show()',
    ]
    return "\n".join(lines)


def _call(fields: Mapping[str, Any], **written: str) -> str:
    """Return the call that makes a config of these fields, and of others as they are written.

    Fields that a task or model brings with it are no arguments of `RunConfig`.
    """
    texts = written | {name: repr(value) for name, value in fields.items()}
    if texts.keys() <= {field.name for field in dataclasses.fields(RunConfig)}:
        return f"lazycore.RunConfig({', '.join(f'{k}={v}' for k, v in texts.items())})"
    return f"lazycore.RunConfig.from_dict({{{', '.join(f'{k!r}: {v}' for k, v in texts.items())}}})"


def _imports(call: str) -> list[str]:
    module = call.split(".")[0]
    return ["import plotly.graph_objects as go", f"from lazycore.figures import {module}"]


def _digest(config: Mapping[str, Any]) -> str | None:
    try:
        return RunConfig.from_dict(config).digest
    except ConfigError:
        return None


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _title(figure: Figure, axis: str) -> str:
    return figure["layout"].get(axis, {}).get("title", {}).get("text") or axis[0]


def _panel(figure: Figure, trace: Mapping[str, Any]) -> str:
    return f"{figure['layout']['title']['text']} {trace.get('xaxis', 'x')}"
