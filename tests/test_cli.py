"""The command line as its user meets it: exit codes, one sentence, nothing else."""

import json
import subprocess
import sys

import pytest

from lazycore import RunConfig, RunResult
from lazycore.cli import main

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
    assert capsys.readouterr().out == ""
    assert RunResult.load(out).to_dict() == json.loads(text.read_text())


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
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2_and_one_sentence(capsys, arguments):
    assert refused(capsys, "run", *arguments)[0] == 2


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
