"""What can be taken away of a figure: numbers, a page, code, and the picture before plotly."""

import csv
import io
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.figures import export, learned, losses, svg

SVG = "{http://www.w3.org/2000/svg}"


def test_csv_holds_every_number_of_the_figure(make_run):
    run = make_run()
    rows = list(csv.DictReader(io.StringIO(export.csv(losses.figure(run, log=False)))))
    own = [row for row in rows if row["curve"] == "network, train"]
    loss = [float(row["loss R(αh) (target units²)"]) for row in own]
    np.testing.assert_allclose(loss, run.series["nonlinear.train_loss"])
    assert [float(row["flow time t"]) for row in own] == run.time.tolist()


def test_csv_of_a_map_has_one_row_a_cell(make_run):
    rows = list(csv.DictReader(io.StringIO(export.csv(learned.figure(make_run(dim=2))))))
    assert sum(bool(row["value"]) for row in rows) == 4 * 81  # heat map and zero line, twice


def test_html_stands_alone_and_no_text_can_end_its_script(make_run):
    figure = losses.figure(make_run())
    figure["layout"]["title"]["text"] = "</script><script>alert(1)</script>"
    page = export.html(figure)
    assert "Plotly.newPlot" in page and "cdn" not in page.split("const figure")[1]
    assert "alert(1)</script>" not in page.split("const figure")[1]
    assert "<title>&lt;/script&gt;" in page


def test_minimal_config_names_the_same_run_and_keeps_the_seed_rather_than_what_follows_from_it():
    config = RunConfig(task="sine", seed=7, alpha=100, width=30)
    fewest = export.minimal(config.resolve().to_dict())
    assert fewest == {"task": "sine", "seed": 7, "alpha": 100.0, "width": 30}
    assert RunConfig(**fewest).digest == config.digest


def test_command_line_has_the_flags_of_the_run():
    config = RunConfig(alpha=0.5, n_train=20)
    assert export.command(config.resolve().to_dict()) == (
        "python -m lazycore run --n-train 20 --alpha 0.5 --out run.npz"
    )


def test_code_is_python_and_names_the_run():
    config = RunConfig(alpha=0.5, dynamics="gd", steps=3).resolve().to_dict()
    for code in (
        export.code(config, "losses.figure"),
        export.code_over_alpha([config, config | {"alpha": 2.0}], "exponent.figure"),
        export.code(None, "losses.figure"),
    ):
        compile(code, "code", "exec")
        assert len(code.splitlines()) <= 10
    assert "alpha=0.5" in export.code(config, "losses.figure")


def test_svg_is_a_picture_of_four_curves_in_words_too(make_run):
    tree = ET.fromstring(svg.losses(make_run(2.0)))
    lines = tree.findall(f"{SVG}polyline")
    assert len(lines) == 4
    assert sum("stroke-dasharray" in line.attrib for line in lines) == 2
    assert "α = 2" in tree.attrib["aria-label"]


def test_svg_of_a_run_without_curves_says_so(make_run):
    run = make_run()
    run.series.clear()
    assert "no curve yet" in svg.losses(run)


def test_drawing_imports_neither_plotly_nor_torch():
    code = (
        "import sys; import lazycore.figures as f; f.panels(); import lazycore.figures.export as e;"
        "e.plotly_script(); print([m for m in ('torch', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
