"""Records that somebody has changed: seeded mutations of valid ones; and all that is drawn."""

import io
import json
import math
import warnings
import zipfile
from collections.abc import Callable, Iterator

import numpy as np

from lazycore.figures import bands, export, heatmap, overlay, panels, panels_of
from lazycore.figures.table import csv, latex, table
from lazycore.results.groups import grouped
from lazycore.results.plane import plane_of
from lazycore.results.quantities import QUANTITIES, measure
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult
from pages.widgets import summary

Parts = tuple[dict, dict[str, np.ndarray]]
"""The head of a record and its arrays."""


def parts(data: bytes) -> Parts:
    """Return head and arrays of a valid record."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(arrays.pop("head").tobytes()), arrays


def packed(head: object, arrays: dict[str, np.ndarray]) -> bytes:
    """Return the file of this head and these arrays, whatever they are."""
    buffer = io.BytesIO()
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    line = np.frombuffer(text, dtype=np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, head=line, **arrays)
    return buffer.getvalue()


def mutations(
    sources: list[bytes], count: int, seed: int = 0, but: tuple[str, ...] = ()
) -> Iterator[tuple[str, bytes]]:
    """Yield `count` changed files, each with what was done to which of the sources.

    but: ways of changing them that are left out.
    """
    rng = np.random.default_rng(seed)
    ways = [way for way in (*ON_ARRAYS, *ON_HEADS, *ON_BYTES) if way not in but]
    for number in range(count):
        way = ways[number % len(ways)]
        source = int(rng.integers(len(sources)))
        if way in ON_BYTES:
            data = ON_BYTES[way](rng, sources[source])
        else:
            head, arrays = parts(sources[source])
            change = ON_ARRAYS.get(way) or ON_HEADS[way]
            data = change(rng, head, arrays) or packed(head, arrays)
        yield f"{number}: {way} of {source}", data


def draw(result: RunResult) -> None:
    """Draw all that a page draws of a record, and take it away as it can be taken away."""
    for log in (True, False):
        for panel in panels_of(result):
            figure = panel.draw(result, log)
            _is_json(figure, panel.name)
            export.csv(figure)
            export.code(result.config, f"{panel.name}.figure")
        groups = grouped([result])
        for name, curve in overlay.CURVES.items():
            if overlay.shows(groups, curve):
                export.csv(overlay.figure(groups, name, log))
    latex(table(groups)), csv(table(groups)), measure(result)
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.history is not None and len(panels()) > 10
    assert all(summary.number(result, name) for name in summary.STRIP) and summary._meaning(result)
    assert summary.verdict_in_colour(result) and summary._ending(result) is not None


def draw_table(table: SweepResult) -> None:
    """Draw all that a page draws of a sweep."""
    axes = list(table.config.axes)
    for name in list(QUANTITIES)[::6]:
        found = plane_of(table.frame, table.config.axes, axes[0], axes[1], name)
        for figure in (heatmap.figure(found), bands.figure(found, [0])):
            _is_json(figure, name)
            export.csv(figure)
    table.grid(axes[0], axes[1], "relative_gap")
    json.dumps(table.to_dict(), allow_nan=False)


def _is_json(value: object, where: str) -> None:
    """Check that this can go to a browser; say where it cannot."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        inside = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
        for key, part in inside:
            if isinstance(part, (dict, list)):
                _is_json(part, f"{where}.{key}")
            assert not isinstance(part, float) or math.isfinite(part), f"{where}.{key} is {part}"
        raise


# ── what is done to arrays ───────────────────────────────────────────────────────────────
def _some(rng, arrays: dict) -> str:
    return str(rng.choice(sorted(arrays)))


def _drop(rng, head, arrays) -> None:
    del arrays[_some(rng, arrays)]


def _drop_several(rng, head, arrays) -> None:
    for _ in range(min(int(rng.integers(2, 6)), len(arrays))):
        arrays.pop(_some(rng, arrays), None)


def _rename(rng, head, arrays) -> None:
    one, other = _some(rng, arrays), _some(rng, arrays)
    arrays[other] = arrays.pop(one)


ODD_NAMES = ("series/", "series/a", "sparse/a.b.c.d.e.f", "latest/../x", "series/gap", "x" * 300,
             "series/nonlinear", "series/nonlinear.train_loss.x", "latest/status", "latest/time",
             "latest/layers", "latest/notes", "series/\u202e", "latest/kappa")  # fmt: skip


def _rename_oddly(rng, head, arrays) -> None:
    arrays[str(rng.choice(ODD_NAMES))] = arrays.pop(_some(rng, arrays))


def _swap_group(rng, head, arrays) -> None:
    name = _some(rng, arrays)
    arrays[f"{rng.choice(['series', 'sparse', 'latest'])}/{name.split('/')[-1]}"] = arrays.pop(name)


def _reshape(rng, head, arrays) -> None:
    name = _some(rng, arrays)
    old = arrays[name]
    shapes = [old.ravel(), old[None], old[..., None], old.T, old[:0], old[:1], np.float64(1.0),
              np.repeat(old[None], 2, 0), np.concatenate([old, old]) if old.ndim else old,
              *([old[..., :0], old[..., :1]] if old.ndim > 1 else [])]  # fmt: skip
    arrays[name] = np.asarray(shapes[int(rng.integers(len(shapes)))])


def _retype(rng, head, arrays) -> None:
    name = _some(rng, arrays)
    kinds = ["f2", "f4", "i8", "u1", "?", "c16", "U7", "S3", "M8[s]", "V4", ">f8", "g"]
    kind = str(rng.choice(kinds))
    arrays[name] = np.zeros(arrays[name].shape, kind) if kind in ("M8[s]", "V4") else np.nan_to_num(
        arrays[name]).astype(kind)  # fmt: skip


def _fill(rng, head, arrays) -> None:
    values = [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308, -1e308, 1e-320, 5e300]
    name = _some(rng, arrays)
    arrays[name] = np.full_like(arrays[name], values[int(rng.integers(len(values)))])


def _spoil(rng, head, arrays) -> None:
    for name in list(arrays):
        if rng.random() < 0.3 and arrays[name].dtype.kind == "f":
            spoiled = arrays[name].copy()
            places = rng.random(spoiled.shape) < 0.5
            spoiled[places] = rng.choice([np.nan, np.inf, 0.0, -1.0, 1e300])
            arrays[name] = spoiled


def _noise(rng, head, arrays) -> None:
    name = _some(rng, arrays)
    arrays[name] = rng.standard_normal(arrays[name].shape) * 10.0 ** rng.integers(-300, 300)


def _times(rng, head, arrays) -> None:
    time = arrays["time"].copy()
    changes = [
        time[::-1],
        -time,
        np.zeros_like(time),
        rng.permutation(time),
        time[:0],
        time + np.nan,
    ]
    arrays["time"] = changes[int(rng.integers(len(changes)))]


def _shorter(rng, head, arrays) -> None:
    length, kernels = len(arrays["time"]), len(arrays["kernel_time"])
    keep = int(rng.integers(0, 3))
    for name in list(arrays):
        first = (
            {length: "series", kernels: "sparse"}.get(len(arrays[name])) if arrays[name].ndim else 0
        )
        if first or name in ("time", "kernel_time"):
            arrays[name] = arrays[name][:keep]


def _wide(rng, head, arrays) -> None:
    name = _some(rng, arrays)
    old = arrays[name]
    if old.ndim > 1:
        arrays[name] = np.repeat(old, int(200_000 // max(old.size, 1)) + 1, axis=-1)
    else:
        arrays[name] = np.zeros((len(old) if old.ndim else 1, int(rng.integers(1, 4000))))


def _many(rng, head, arrays) -> None:
    for number in range(int(rng.choice([200, 500]))):
        arrays[f"series/x{number}"] = np.zeros(len(arrays["time"]))


def _grid(rng, head, arrays) -> None:
    count = int(rng.choice([100, 2000, 20_000]))
    arrays["latest/function.x"] = rng.standard_normal((count, int(rng.integers(1, 4))))
    arrays["latest/function.nonlinear"] = rng.standard_normal((count, int(rng.integers(1, 4))))


ON_ARRAYS: dict[str, Callable] = {
    f.__name__.strip("_"): f
    for f in (_drop, _drop_several, _rename, _rename_oddly, _swap_group, _reshape, _retype, _fill)
    + (_spoil, _noise, _times, _shorter, _wide, _many, _grid)
}


# ── what is done to heads ────────────────────────────────────────────────────────────────
ODD = (None, 0, -1, 1e308, 10**400, "", "x" * 5000, "\ud800", "[a](http://b)", [], {}, [[]], True,
       ["a", 1], {"a": {"b": {}}}, [1.0, None], "nan", "<b>", "done")  # fmt: skip


def _latest(rng, head, arrays) -> None:
    names = [*head["latest"], "layers", "notes", "kappa", "diagnosis", "theory.reason", "horizon",
             "nonlinear.status", "frozen.correlation", "class_gap_after", "constants.rank",
             "nonlinear.train_loss", "spectrum", "a" * 500, "gap"]  # fmt: skip
    head["latest"][str(rng.choice(names))] = ODD[int(rng.integers(len(ODD)))]


def _config(rng, head, arrays) -> None:
    if head["config"] is None:
        head["config"] = {}
    known = sorted(head["config"]) or ["alpha"]
    head["config"][str(rng.choice(known))] = ODD[int(rng.integers(len(ODD)))]


def _other_config(rng, head, arrays) -> None:
    configs = [None, {}, {"task": "sine"}, {"model": "figure_eight", "task": "plane_target"},
               {"loss": "cross_entropy", "task": "digits", "labels": "ten"},
               {"refresh_every": 3, "dynamics": "gd"},
               {"task": "stripe", "loss": "soft_hinge", "stop": "margins"}]  # fmt: skip
    head["config"] = configs[int(rng.integers(len(configs)))]


def _part(rng, head, arrays) -> None:
    head[str(rng.choice(sorted(head)))] = ODD[int(rng.integers(len(ODD)))]


def _without(rng, head, arrays) -> None:
    del head[str(rng.choice(sorted(head)))]


def _deep(rng, head, arrays) -> bytes:
    depth = int(rng.choice([14, 900, 100_000]))
    text = json.dumps(head)[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
    return packed(text.encode(), arrays)


def _huge(rng, head, arrays) -> bytes:
    more = [["[]"] * 300_000, ['"a"'] * 300_000, ["1" * 4000] * 50, ["1" * 5000], ["NaN", "1e999"]]
    values = more[int(rng.integers(len(more)))]
    return packed((json.dumps(head)[:-1] + ', "x": [' + ",".join(values) + "]}").encode(), arrays)


ON_HEADS: dict[str, Callable] = {
    f.__name__.strip("_"): f
    for f in (_latest, _config, _other_config, _part, _without, _deep, _huge)
}


# ── what is done to bytes ────────────────────────────────────────────────────────────────
def _cut(rng, data: bytes) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _flip(rng, data: bytes) -> bytes:
    broken = bytearray(data)
    for place in rng.integers(0, len(data), int(rng.integers(1, 20))):
        broken[place] = int(rng.integers(256))
    return bytes(broken)


def _bomb(rng, data: bytes) -> bytes:
    buffer = io.BytesIO(data)
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("series/bomb.npy", "w") as member,
    ):
        for _ in range(int(rng.choice([4, 64, 300]))):
            member.write(b"\0" * 2**20)
    return buffer.getvalue()


def _claim(rng, data: bytes) -> bytes:
    shapes = ["(1000000000000,)", "(-1,)", "(2, -5)", "(0, 10**9)", "(" * 3000, "(True,)", "(1.5,)",
              "(4294967296, 4294967296)", "()", "(3,), 'x': 1", f"({'9' * 23},)"]  # fmt: skip
    kinds = ["<f8", "|O", "<f4", "|V0", "<U999999999", "[('a', '<f8')]", "S0"]
    kind, shape = str(rng.choice(kinds)), rng.choice(shapes)
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}"
    body = text.encode() + b" " * (-len(text) % 64) + b"\n"
    size = len(body).to_bytes(2, "little") if rng.random() < 0.8 else b"\xff\xff"
    return _with(data, {"latest/claim.npy": b"\x93NUMPY\x01\x00" + size + body + b"\0" * 64})


def _members(rng, data: bytes) -> bytes:
    one = io.BytesIO()
    np.lib.format.write_array(one, np.zeros(3))
    names = [f"latest/m{i}.npy" for i in range(int(rng.choice([350, 5000])))]
    return _with(data, dict.fromkeys([*names, "time.npy", "../../x.npy", "a"], one.getvalue()))


def _with(data: bytes, members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO(data)
    warnings.simplefilter("ignore", UserWarning)  # two members of one name are what is wanted
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ON_BYTES: dict[str, Callable] = {
    f.__name__.strip("_"): f for f in (_cut, _flip, _bomb, _claim, _members)
}
