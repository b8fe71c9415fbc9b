"""Take every picture that README and docs show: `make screenshots`.

Each page of the dashboard from a server of its own with an empty store, in Chromium, 1280 wide, in
the light theme; and each figure of the tutorial, from the tutorial's own code. A picture that a
document shows is taken because the document shows it: there is no list here.
"""

import json
import re
import runpy
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FOLDER = DOCS / "screenshots"
WIDTH, HEIGHT = 1280, 1000
PATIENCE = 180_000
"""Milliseconds to wait for a picture."""
COLOURS = 256
"""Of the palette: a picture of a page has few, and is a third of the size with them."""

SETTLED = """() => document.querySelector('[data-test-script-state="notRunning"]') && document
  .querySelector("h1") && [...document.querySelectorAll(".lazylab-chart")].every(
  (chart) => chart._fullLayout?.xaxis)"""

DIGITS = {"task": "digits", "activation": "tanh", "n_train": "100", "width": "50", "time": "1000"}
PLANE = {"task": "teacher", "dim": "2", "n_train": "15", "width": "20", "time": "500"}
PLANE |= {"scaling": "plain", "zero_output": "symmetrized"}
"""Of runs that ship: those of two presets."""


def queries() -> dict[str, str]:
    """Return what the address of a page says where its first state has nothing to show."""
    from lazycore.config.run import RunConfig

    scales = [RunConfig.from_text(PLANE | {"init_scale": tau}).digest for tau in ("0.1", "2")]
    return {
        "explore": urlencode(DIGITS | {"alpha": "0.1"}),
        "compare": urlencode({"runs": ",".join(scales)}),
    }


def names() -> set[str]:
    """Return the names of the pictures that README and docs show."""
    documents = [ROOT / "README.md", *DOCS.rglob("*.md")]
    return {n for d in documents for n in re.findall(r"screenshots/([\w-]+)\.png", d.read_text())}


def tutorial_figures() -> dict[str, dict]:
    """Return the figures of the tutorial by the names of their pictures, after running its code."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "tutorial.md").read_text(), re.DOTALL)
    kept = [
        f"{b}shown.append(figure)\n" if re.search(r"^figure = ", b, re.M) else b for b in blocks
    ]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "tutorial.py"
        script.write_text("shown = []\n" + "\n".join(kept))
        shown = runpy.run_path(str(script))["shown"]
    drawn = [f if isinstance(f, dict) else json.loads(f.to_json()) for f in shown]
    return {f"tutorial-{number}": figure for number, figure in enumerate(drawn, 1)}


def take_pages(browser) -> None:
    """Take the pages, each when all that it shows is drawn."""
    from conftest import running_server

    from pages.widgets.declared import pages, path_of

    said = queries()
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (_, address):
        size = {"width": WIDTH, "height": HEIGHT}
        context = browser.new_context(viewport=size, color_scheme="light", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        tab = context.new_page()
        for name in pages().keys() & names():
            tab.goto(f"{address}/{path_of(name)}?{said.get(name, '')}")
            tab.get_by_role("heading", level=1).wait_for()
            tab.wait_for_timeout(3000)
            tab.wait_for_function(SETTLED)
            tab.wait_for_timeout(1000)
            keep(name, tab.screenshot())


def take_figures(browser) -> None:
    """Take the figures of the tutorial, each on a page of its own."""
    from lazycore.figures.export import html

    with tempfile.TemporaryDirectory() as folder:
        for name, figure in tutorial_figures().items():
            page = Path(folder) / f"{name}.html"
            page.write_text(html(figure), encoding="utf-8")
            tab = browser.new_page(viewport={"width": 720, "height": 520})
            tab.goto(page.as_uri())
            tab.locator("#figure .main-svg").first.wait_for(timeout=PATIENCE)
            tab.wait_for_timeout(500)
            keep(name, tab.locator("#figure").screenshot())
            tab.close()


def keep(name: str, picture: bytes) -> None:
    """Write a picture with a small palette."""
    path = FOLDER / f"{name}.png"
    path.write_bytes(picture)
    with Image.open(path) as image:
        image.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB\n")


def main() -> None:
    """Take all pictures; take away those that nothing makes any more."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from conftest import CHROMIUM_ARGUMENTS, chromium_path
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        take_figures(browser)
        take_pages(browser)
        browser.close()
    for path in FOLDER.glob("*.png"):
        if path.stem not in names():
            path.unlink()


if __name__ == "__main__":
    main()
