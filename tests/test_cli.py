"""The command line as its user meets it: exit codes, one sentence, nothing else."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lazycore import RunConfig, RunResult, SweepConfig, SweepResult
from lazycore.cli import main
from lazycore.config.cost import DEFAULT
from lazycore.results.store import open_store

TINY = ["--task", "sine", "--dynamics", "gd", "--steps", "20", "--width", "10"]


def refused(capsys, *arguments: str) -> tuple[int, str]:
    """Return the exit code and the sentence of a call that must be refused."""
    code = main(list(arguments))
    said = capsys.readouterr()
    assert said.out == "", "a refused call prints nothing to standard output"
    assert said.err.startswith("lazycore: ") and said.err.count("\n") == 1
    assert "Traceback" not in said.err and "usage" not in said.err
    return code, said.err


def test_a_run_prints_its_verdict_and_the_error_of_the_method(capsys):
    assert main(["run", *TINY]) == 0
    out = capsys.readouterr().out
    assert "digest" in out and "largest output gap" in out and "(method)" in out


def test_json_on_standard_output_is_the_record_and_nothing_else(capsys):
    assert main(["run", *TINY, "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "done"
    assert record["config"]["steps"] == 20
    assert record["digest"] == RunConfig.from_dict(record["config"]).digest


def test_out_writes_a_file_that_loads_as_the_same_result(tmp_path, capsys):
    out, text = tmp_path / "run.npz", tmp_path / "run.json"
    assert main(["run", *TINY, "--out", str(out), "--json", str(text)]) == 0
    assert RunResult.load(out).to_dict() == json.loads(text.read_text())


@pytest.mark.parametrize("files", [["--out"], ["--json"], ["--out", "--json"]], ids=" ".join)
def test_a_run_whose_record_goes_to_a_file_says_its_verdict_first(tmp_path, capsys, files):
    paths = [part for flag in files for part in (flag, str(tmp_path / flag.strip("-")))]
    assert main(["run", *TINY, *paths]) == 0
    written = capsys.readouterr().out
    assert main(["run", *TINY]) == 0
    assert written == capsys.readouterr().out
    assert main(["run", *TINY, "--out", str(tmp_path / "again"), "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)  # and nothing else
    assert written.startswith(f"{record['verdict']}  (done, digest {record['digest']})")


def test_flags_override_the_fields_of_a_config_file(tmp_path, capsys):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"task": "sine", "dynamics": "gd", "steps": 5, "alpha": 3}))
    assert main(["run", "--config", str(file), "--alpha", "7", "--json", "-"]) == 0
    config = json.loads(capsys.readouterr().out)["config"]
    assert (config["alpha"], config["steps"], config["task"]) == (7.0, 5, "sine")


def test_the_record_of_a_run_is_a_config_file_for_the_same_run(tmp_path, capsys):
    assert main(["run", *TINY, "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(record["config"]))
    assert main(["run", "--config", str(file), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == record["digest"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--alpha", "abc"),
        ("--alpha", "nan"),
        ("--alpha", "inf"),
        ("--alpha", "0"),
        ("--width", "-3"),
        ("--width", "2.5"),
        ("--width", "51", "--zero-output", "symmetrized"),
        ("--n-train", "1000000000"),
        ("--momentum", "0.9"),
        ("--activation-beta", "3"),
        ("--loss", "logistic", "--task", "digits", "--labels", "ten"),
        ("--wdth", "3"),
        ("--alpha",),
        ("--config", "/no/such/file.json"),
        ("--device", "tpu"),
        ("--json", "/no/such/folder/x.json"),
        ("--time", "-1"),
        ("--alpha", "-1e-2"),
        ("surplus",),
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2_and_one_sentence(capsys, arguments):
    assert refused(capsys, "run", *arguments)[0] == 2


def test_a_negative_number_is_the_value_of_the_flag_before_it(capsys):
    assert "alpha=-0.01 is not allowed" in refused(capsys, "run", "--alpha", "-1e-2")[1]
    assert "alpha=-inf is not allowed" in refused(capsys, "run", "--alpha", "-inf")[1]
    assert "there is no option -3" in refused(capsys, "run", "--no-budget", "-3")[1]
    assert "the cell alpha=-0.5 cannot be" in refused(capsys, "sweep", "--alpha", "-.5,1")[1]


def test_a_flag_that_is_none_is_answered_with_the_closest_one(capsys):
    said = refused(capsys, "run", "--wdth", "3")[1]
    assert "there is no option --wdth. Did you mean --width? (see lazycore run --help)" in said
    assert "Did you mean --alpha?" in refused(capsys, "run", "--alhpa=3")[1]
    assert "Did you mean --device?" in refused(capsys, "check", "--devcie", "cpu")[1]
    assert "Did you mean --no-store?" in refused(capsys, "sweep", "--no-stroe")[1]
    said = refused(capsys, "jobs", "submit", "--wdth", "3")[1]
    assert "Did you mean --width? (see lazycore jobs submit --help)" in said
    assert "surplus is one word too many" in refused(capsys, "run", "surplus")[1]
    assert "Did you mean" not in refused(capsys, "run", "--qqqqqq", "3")[1]


def test_an_optional_field_of_a_config_file_is_left_open_by_null(tmp_path, capsys):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"task": "sine", "dynamics": "flow", "time": 3.0}))
    call = ["run", "--config", str(file), "--n-train", "4", "--width", "4", "--json", "-"]
    assert main([*call, "--time", "null"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["time"] is None


def test_help_has_the_default_where_all_that_read_the_field_agree(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    meanings = said.partition("options:")[2]
    assert "default 1)" in meanings.partition("--alpha VALUE ")[2].partition(" --")[0]
    assert "default" not in meanings.partition("--width VALUE ")[2].partition(" --")[0]


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"alpha": null', '"x"'])
def test_a_config_file_that_is_no_object_of_fields_is_a_wrong_call(tmp_path, capsys, content):
    file = tmp_path / "config.json"
    file.write_text(content)
    assert refused(capsys, "run", "--config", str(file))[0] == 2


def test_a_run_over_the_budget_ends_with_1_and_says_what_to_lower(capsys):
    code, said = refused(capsys, "run", "--dynamics", "gd", "--steps", "1e12")
    assert code == 1
    assert "steps=1,000,000,000,000" in said and "the limit is 30 minutes" in said


def test_a_diverged_run_is_a_result(capsys):
    wild = ["--task", "sine", "--dynamics", "gd", "--step-size", "50", "--steps", "500"]
    assert main(["run", *wild, "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "diverged"
    assert record["linearized"]["train_loss"][0] is not None
    assert record["linearized"]["status"] == "diverged"


def test_the_help_names_every_field_and_comes_without_torch():
    script = (
        "import sys\n"
        "from lazycore.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    for name in RunConfig().resolve().given():
        assert f"--{name.replace('_', '-')}" in done.stdout


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "lazycore", "run", "--alpha", "abc"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lazycore: alpha=abc is not allowed: give a number from 1e-09 to 1e+12.\n"


# ── sweeps ───────────────────────────────────────────────────────────────────────────────
SWEEP = ["sweep", *TINY, "--n-train", "4", "--n-test", "0", "--device", "cpu"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder that the program writes to."""
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_sweep_says_how_many_cells_are_what(cache, capsys):
    assert main([*SWEEP, "--alpha", "0.1:1000:3", "--init-seed", "0:2"]) == 0
    said = capsys.readouterr()
    first, verdicts = said.out.splitlines()
    assert first.startswith("6 cells (3 alpha × 2 init_seed), digest ")
    assert sum(int(part.split()[0]) for part in verdicts.split(", ")) == 6
    assert said.err == "", "progress is for a terminal"


def test_a_sweep_says_its_cost_before_it_starts_in_a_log_too(cache, capsys, monkeypatch):
    def lanes(configs, **_):
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == "51 cells: about 20 s on 2 cores (estimate)\n"
        return iter(())

    monkeypatch.setattr("lazycore.running.sweeps.run_lanes", lanes)
    monkeypatch.setattr("lazycore.running.sweeps.cores", lambda: 2)
    monkeypatch.setattr("lazycore.config.forecast.seconds", lambda config, together=1: 40.0 / 51.0)
    assert main(["sweep", "--task", "sine", "--alpha", "0.1:10:17", "--init-seed", "0:3"]) == 0
    assert main([*SWEEP, "--alpha", "1,10", "--device", "tpu"]) == 2
    assert capsys.readouterr().err.startswith("lazycore: device=tpu"), "refused: no cost"


def test_on_a_terminal_a_run_and_a_sweep_say_their_cost_once(cache, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("lazycore.config.forecast.seconds", lambda config, together=1: 9.0)
    monkeypatch.setattr("lazycore.running.progress.DELAY", 1e9)
    assert main(["run", *TINY, "--json", "-"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) and said.err == "run: about 9 s on one core (estimate)\n"
    monkeypatch.setattr("lazycore.running.lanes.WORTH_SECONDS", 1e9)
    assert main([*SWEEP, "--alpha", "1,10", "--json", "-"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) and said.err == "2 cells: about 18 s on one core (estimate)\n"
    assert main([*SWEEP, "--alpha", "1,10"]) == 0
    assert capsys.readouterr().err == "", "all of it is in the store"


def test_a_sweep_names_the_cells_that_went_wrong(cache, capsys):
    wild = ["--step-size", "0.01,1e4,1e5", "--steps", "200"]
    assert main([*SWEEP, *wild]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == ["diverged: step_size=10000", "diverged: step_size=100000"]


def test_a_long_list_of_what_went_wrong_is_cut(cache, capsys):
    wild = ["--step-size", "1e4", "--steps", "200", "--init-seed", "0:13"]
    assert main([*SWEEP, *wild]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 10 + 1 and lines[-1] == "diverged: 3 more"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_a_sweep_is_written_as_the_kind_of_file_that_its_name_says(cache, tmp_path, capsys, suffix):
    out = tmp_path / f"sweep.{suffix}"
    assert main([*SWEEP, "--alpha", "1,10", "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("2 cells (2 alpha), digest ")
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet}
    frame = read[suffix](out) if suffix in read else SweepResult.load(out).frame
    assert frame["alpha"].tolist() == [1.0, 10.0] and set(frame["status"]) == {"done"}


def test_the_json_of_a_sweep_is_its_table_and_nothing_else(cache, capsys):
    assert main([*SWEEP, "--alpha", "1,10", "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    config = SweepConfig.from_dict(record["config"])
    assert config.digest == record["digest"] and config.shape == (2,)
    assert [row["alpha"] for row in record["cells"]] == [1.0, 10.0]
    assert all(np.isfinite(row["largest_gap"]) for row in record["cells"])


def test_the_cells_of_a_sweep_are_runs_in_the_store_and_not_computed_again(
    cache, capsys, monkeypatch
):
    assert main([*SWEEP, "--alpha", "1,10", "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    store = open_store()
    assert sorted(store.digests()) == sorted(row["digest"] for row in record["cells"])
    store.close()
    asked = []
    monkeypatch.setattr(
        "lazycore.running.sweeps.run_lanes", lambda configs, **_: asked.extend(configs)
    )
    assert main([*SWEEP, "--alpha", "1,10", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == record and asked == []


def test_without_a_store_nothing_is_kept(cache, capsys):
    assert main([*SWEEP, "--alpha", "1,10", "--no-store"]) == 0
    assert not cache.exists()


def test_the_axes_are_in_the_order_in_which_they_are_given(cache, capsys):
    for axes in (["--width", "4,6", "--alpha", "1,2"], ["--alpha", "1,2", "--width", "4,6"]):
        arguments = [part for part in SWEEP if part not in ("--width", "10")]
        assert main([*arguments, *axes, "--json", "-"]) == 0
        record = json.loads(capsys.readouterr().out)
        assert [f"--{name}" for name in record["config"]["axes"]] == axes[::2]


def test_the_config_of_a_sweep_is_a_run_or_a_sweep_and_flags_override_it(cache, tmp_path, capsys):
    file = tmp_path / "config.json"

    def config(content: dict, *flags: str) -> SweepConfig:
        file.write_text(json.dumps(content))
        assert main(["sweep", "--config", str(file), *flags, "--json", "-"]) == 0
        return SweepConfig.from_dict(json.loads(capsys.readouterr().out)["config"])

    run = {"task": "sine", "dynamics": "gd", "steps": 5, "width": 4, "n_train": 4}
    first = config(run, "--alpha", "1,10")
    assert first.axes == {"alpha": (1.0, 10.0)} and first.base.width == 4
    assert config(first.to_dict()) == first
    changed = config(first.to_dict(), "--alpha", "3", "--width", "4,6")
    assert changed.axes == {"width": (4, 6)} and changed.base.alpha == 3
    derived = config(first.to_dict() | {"axes": {}}, "--alpha-sqrt-width", "2,4")
    assert [cell.config.alpha for cell in derived.cells] == [1.0, 2.0]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--alpha", "3"),
        ("--alpha", "0:10"),
        ("--alpha", "1,1"),
        ("--alpha", "1,x"),
        ("--width", "50,51", "--zero-output", "symmetrized"),
        ("--alpha", "1:2:1e9"),
        ("--wdth", "3,4"),
        ("--alpha", "1,2", "--alpha-sqrt-width", "1,2"),
        ("--alpha", "1,2", "--out", "sweep.txt"),
        ("--alpha", "1,2", "--out", "/no/such/folder/sweep.csv"),
        ("--alpha", "1,2", "--device", "tpu"),
        ("--alpha", "1,2", "--config", "/no/such/file.json"),
    ],
    ids=" ".join,
)
def test_a_wrong_sweep_ends_with_2_and_one_sentence(cache, capsys, arguments):
    assert refused(capsys, "sweep", *arguments)[0] == 2


@pytest.mark.parametrize("content", ["[1]", '{"base": {}, "axes": 3}', '{"axes": {}}', "{"])
def test_a_file_that_is_no_sweep_is_a_wrong_call(cache, tmp_path, capsys, content):
    file = tmp_path / "config.json"
    file.write_text(content)
    assert refused(capsys, "sweep", "--config", str(file), "--alpha", "1,2")[0] == 2


def test_a_sweep_over_the_budget_ends_with_1_and_says_what_to_lower(cache, capsys):
    code, said = refused(capsys, "sweep", "--dynamics", "gd", "--steps", "1e6", "--seed", "0:999")
    assert code == 1 and "the limit is 8 hours" in said and "lower the number of cells" in said
    code, said = refused(capsys, "sweep", "--dynamics", "gd", "--steps", "10,1e12")
    assert code == 1 and "in the cell steps=1000000000000" in said


def test_the_queue_takes_a_sweep_and_lists_it_as_one(cache, capsys):
    assert main(["jobs", "sweep", *TINY, "--alpha", "1,10"]) == 0
    digest = capsys.readouterr().out.strip()
    assert main(["jobs", "submit", *TINY]) == 0
    assert main(["jobs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[1:3] == ["run", "queued"]
    assert lines[2].split()[:3] == [digest, "sweep", "queued"]
    assert refused(capsys, "jobs", "sweep", "--alpha", "1")[0] == 2
    assert refused(capsys, "jobs", "submit", "--alpha", "1,2")[0] == 2


def test_a_sweep_runs_as_a_program(tmp_path):
    command = [sys.executable, "-m", "lazycore", *SWEEP, "--alpha", "1,10", "--no-store"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("2 cells (2 alpha)")
    wrong = subprocess.run([*command, "--alpha", "0:9"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    said = "lazycore: alpha=0:9 says no number of values: write low:high:count.\n"
    assert wrong.stderr == said


def test_a_folder_is_no_file_to_write_and_that_is_said_before_anything_is_computed(
    tmp_path, capsys
):
    code, said = refused(capsys, "run", "--out", str(tmp_path))
    assert code == 2 and "it is a folder; give the name of a file" in said


def test_json_that_is_too_deep_is_refused(tmp_path, capsys):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    code, said = refused(capsys, "run", "--config", str(tmp_path / "deep.json"))
    assert code == 2 and "is not JSON" in said


def test_too_many_training_points_are_named_and_not_the_test_points(capsys):
    code, said = refused(capsys, "run", "--task", "digits", "--n-train", "5000")
    assert code == 2 and "n_train=5000 is not allowed" in said and "give at most 1,740" in said


def test_a_file_that_cannot_be_written_is_said_before_anything_is_computed_and_not_left(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("lazycore.running.run.run", lambda *_, **__: pytest.fail("computed"))
    long = tmp_path / ("x" * 300 + ".npz")
    code, said = refused(capsys, "run", "--out", str(long))
    assert code == 2 and "cannot write" in said and "name too long" in said.lower()
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_file_that_is_not_there_yet_is_written_through(tmp_path, capsys):
    link, target = tmp_path / "link.npz", tmp_path / "target.npz"
    link.symlink_to(target)
    assert main(["run", *TINY, "--out", str(link)]) == 0
    assert link.is_symlink() and RunResult.load(target).status == "done"


def test_a_sweep_without_a_budget_gives_each_run_none(cache, capsys, monkeypatch):
    asked = []

    def lanes(configs, *, budget, **_):
        asked.append(budget)
        return iter(())

    monkeypatch.setattr("lazycore.running.sweeps.run_lanes", lanes)
    main([*SWEEP, "--alpha", "1,10", "--no-store", "--no-budget"])
    main([*SWEEP, "--alpha", "1,10", "--no-store"])
    assert asked == [None, DEFAULT]
