"""Data of the user's own on the pages: a name in a box, a sentence for what is wrong."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from test_pages import opened, words

from lazycore.config.run import RunConfig
from lazycore.datasets import folders
from lazycore.service.queue import open_queue


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """An empty cache, and a data folder with one right file and one wrong one."""
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path))
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    own = tmp_path / "data" / "own"
    own.mkdir(parents=True)
    (own / "mine.csv").write_text("1,2,0.5\n" * 12)
    (own / "bad.csv").write_text("1,2\n3,x\n")
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def placeholders(app: AppTest, prefix: str = "") -> dict[str, str]:
    names = ("data_file", "data_hash", "data_shape", "data_classes", "n_train")
    return {name: app.text_input(key=prefix + name).placeholder for name in names}


def test_the_boxes_show_what_the_file_is():
    app = opened("explore", task="own", data_file="mine.csv")
    found = RunConfig.from_dict({"task": "own", "data_file": "mine.csv"})
    assert not app.exception and not app.error
    assert placeholders(app) == {
        "data_file": "mine.csv",
        "data_hash": found.data_hash,
        "data_shape": "2",
        "data_classes": "0",
        "n_train": "8",
    }
    app.text_input(key="data_file").set_value("example.csv").run()
    assert placeholders(app)["data_classes"] == "2" and not app.error


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"data_file": "../../etc/passwd"}, "is not allowed: give the name of a file"),
        ({"data_file": "none.csv"}, "there is no data file none.csv here: put it into"),
        ({"data_file": "bad.csv"}, "holds 'x', no finite number"),
        ({"data_file": "mine.csv", "data_hash": "x"}, "data_hash=x is not allowed"),
        ({"data_file": "mine.csv", "n_train": "13"}, "mine.csv has 12 points"),
        ({"model": "cnn"}, "rows of numbers, not images"),
    ],
)
def test_a_bad_link_is_one_sentence(link, sentence):
    app = opened("explore", task="own", **link)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]
    swept = opened("sweep", **{f"s_{k}": v for k, v in link.items()}, s_task="own", s_alpha="1,2")
    assert not swept.exception
    assert [sentence in error.value for error in swept.error] == [True]


def test_a_whole_link_opens_where_there_is_no_such_file(root):
    run = RunConfig.from_dict({"task": "own", "data_file": "mine.csv"}).resolve()
    (root / "data" / "own" / "mine.csv").unlink()
    app = opened("explore", **{k: v for k, v in run.to_text().items() if v})
    assert not app.exception and not app.error
    assert app.text_input(key="data_hash").value == run.data_hash
    app.button(key="run").click().run()
    queue = open_queue(root)
    assert queue.get(run.digest).state == "queued"
    queue.close()


def test_a_file_is_no_axis():
    app = opened("sweep", s_task="own", s_data_file="a.csv,b.csv", s_alpha="1,2")
    assert not app.exception
    assert ["data_file cannot be an axis" in error.value for error in app.error] == [True]


@pytest.mark.parametrize("name", ["A matrix", "An oscillator"])
def test_programs_are_one_click_away(name):
    app = opened("explore")
    app.pills(key="preset").set_value(name).run()
    assert not app.exception and not app.error
    assert "No network" in words(app)
