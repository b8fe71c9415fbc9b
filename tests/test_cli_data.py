"""`python -m lazycore data`, as its user meets it."""

import gzip
import json

import numpy as np
import pytest
import tiny_sets

from lazycore.cli import main
from lazycore.config.run import RunConfig
from lazycore.config.spec import find
from lazycore.datasets import folders, registry


@pytest.fixture(autouse=True)
def tiny_registry(tmp_path, monkeypatch):
    """One tiny set is all there is, in a data folder of the test's own."""
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with tiny_sets.serving() as server:
        found = tiny_sets.mnist_like(server.address)
        for name, data in tiny_sets.CONTENT.items():
            server.files[f"{name}.gz"] = gzip.compress(data)
        monkeypatch.setattr(registry, "SETS", {"tiny": found})
        monkeypatch.setattr("lazycore.cli.data.SETS", {"tiny": found})
        yield server


def test_list_says_what_is_missing_and_how_to_get_it(capsys):
    assert main(["data"]) == main(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert "Tiny is not on this machine: `python -m lazycore data fetch tiny`" in said
    assert "example.csv: 500 points of 2, 2 classes, data_hash" in said and "licence: none" in said


def test_fetch_then_check_then_list(tmp_path, capsys):
    assert main(["data", "check"]) == 0
    assert "not here  tiny train" in capsys.readouterr().out
    assert main(["data", "fetch", "tiny"]) == 0
    assert str(tmp_path / "data/Tiny/raw/train-images.gz") in capsys.readouterr().out
    assert main(["data", "check"]) == main(["data", "check", "tiny"]) == 0
    assert "right     tiny train: 9 images" in capsys.readouterr().out
    assert main(["data", "list"]) == 0
    assert "train-images.gz, " in capsys.readouterr().out


def test_check_ends_with_one_where_a_file_is_wrong(tmp_path, capsys):
    main(["data", "fetch", "tiny"])
    (tmp_path / "data/Tiny/raw/train-labels.gz").write_bytes(b"<html>")
    capsys.readouterr()
    assert main(["data", "check"]) == 1
    said = capsys.readouterr().out
    assert "WRONG     tiny train" in said and "train-labels.gz is damaged" in said
    assert "right     tiny test" in said
    assert main(["data", "check", "tiny", "--data-dir", str(tmp_path / "none")]) == 1


def test_another_folder_can_be_given(tmp_path, capsys):
    folder = str(tmp_path / "mine")
    assert main(["data", "fetch", "tiny", "--data-dir", folder]) == 0
    assert folder in capsys.readouterr().out
    assert main(["data", "list", "--data-dir", folder]) == 0
    assert f"{folder}/Tiny/raw/test-labels.gz" in capsys.readouterr().out


def test_how_far_it_is_is_shown_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["data", "fetch", "tiny"]) == 0
    assert "train-images.gz: 0.0 of 0.0 MB" in capsys.readouterr().err


def test_an_own_file_that_is_wrong_is_listed_with_its_sentence(tmp_path, capsys):
    (tmp_path / "data" / "own").mkdir(parents=True)
    (tmp_path / "data" / "own" / "mine.csv").write_text("1,x")
    (tmp_path / "data" / "own" / "real.csv").write_text("1,0.5\n2,1.5")
    assert main(["data"]) == 0
    said = capsys.readouterr().out
    assert "mine.csv: there" not in said and "mine.csv holds 'x'" in said
    assert "real.csv: 2 points of 1, real targets" in said


@pytest.mark.parametrize(
    ("arguments", "code"), [(["fetch", "imagenet"], 2), (["check", "../x"], 2), (["fetch"], 2)]
)
def test_a_wrong_call_is_one_sentence(arguments, code, capsys):
    assert main(["data", *arguments]) == code
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and said.err.startswith("lazycore: ")


def test_a_server_that_is_gone_is_one_sentence(tiny_registry, capsys):
    tiny_registry.files.clear()
    assert main(["data", "fetch", "tiny"]) == 1
    assert "404" in capsys.readouterr().err


def test_a_run_without_its_data_says_the_command_and_ends_with_one(monkeypatch, capsys):
    monkeypatch.setattr(registry, "SETS", {"mnist": registry.MNIST})
    call = ["run", "--task", "mnist", "--dynamics", "gd", "--steps", "2", "--json", "-"]
    assert main(call) == 1
    said = capsys.readouterr()
    assert said.out == "" and "`python -m lazycore data fetch mnist`" in said.err


def test_a_run_on_own_data_says_what_it_was_run_on(capsys):
    call = ["run", "--task", "own", "--dynamics", "gd", "--steps", "2", "--json", "-"]
    assert main(call) == 0
    config = json.loads(capsys.readouterr().out)["config"]
    assert config["data_file"] == "example.csv" and len(config["data_hash"]) == 16


def test_show_says_how_an_own_file_is_understood_before_it_is_run_on(tmp_path, capsys):
    own = tmp_path / "data" / "own"
    own.mkdir(parents=True)
    rows = [f"{i},{i * 0.37 % 1:.2f},{i * 0.71 % 1:.2f},{'uv'[i % 2]}" for i in range(20)]
    (own / "mine.csv").write_text(",a,b,kind\n" + "\n".join(rows))
    assert main(["data", "show", "mine.csv"]) == 0
    said = capsys.readouterr().out
    assert "(names the rows)  (input)  (input)  (target)" in said
    assert "Target kind, 2 classes: u (10), v (10)." in said
    call = ["data", "show", "mine.csv", "--target", "b", "--without", "kind", "--kind", "numbers"]
    assert main(call) == 0
    said = capsys.readouterr().out
    assert "20 points of 1 number: a." in said and "Target b, real numbers" in said
    assert main(["data", "show", "mine.csv", "--target", "c"]) == 1
    assert "has no column 'c': give data_target as one of" in capsys.readouterr().err
    np.savez(own / "a.npz", x=np.eye(4), y=np.arange(4.0) / 3)
    assert main(["data", "show", "a.npz"]) == 0
    assert "4 points of 4 numbers" in capsys.readouterr().out


def test_the_task_says_in_a_line_how_its_file_is_understood(tmp_path):
    values = RunConfig.from_dict({"task": "own"}).resolve().to_dict()
    said = find("task", "own").SPEC.facts["understood"]
    assert said(values) == "example.csv: 500 points of 2, target class (2 classes)"
    assert said(values | {"data_hash": "0" * 16}) == ""
