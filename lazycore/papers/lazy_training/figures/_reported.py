"""What the paper reports, read off its vector figures to about three digits."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from lazycore.papers.reproduction import Curve

FILE = Path(__file__).with_name("reported.json")


@cache
def read() -> dict:
    """Return the file: under `figures`, by figure and line, x, y and, where the paper draws a
    band of one standard deviation, low and high; with the number of runs behind them."""
    return json.loads(FILE.read_text())


def read_off() -> str:
    """Return where the reported lines are from, and when they were read."""
    return f"{read()['source']} ({read()['read']})"


def curves(figure: str) -> list[Curve]:
    """Return the reported lines of a figure."""
    return [_curve(name, line) for name, line in read()["figures"][figure]["lines"].items()]


def curve(figure: str, name: str) -> Curve:
    """Return one reported line."""
    return _curve(name, read()["figures"][figure]["lines"][name])


def _curve(name: str, line: dict) -> Curve:
    x, y = np.array(line["x"], dtype=float), np.array(line["y"], dtype=float)
    std = np.full(len(x), np.nan)
    if "low" in line:
        std = (np.array(line["high"]) - np.array(line["low"])) / 2.0
    return Curve(name, x, y, std, np.full(len(x), line["runs"]))
