"""The Data page: a file put in is understood, asked about or refused, and goes on to Explore."""

from html import unescape
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import streamlit as st
from conftest import running_server
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest
from test_browser import expect_in_link
from test_pages import opened, words

from lazycore.config.run import RunConfig
from lazycore.datasets import folders, own, uploads
from lazycore.errors import DataError
from pages.data import view
from pages.widgets.parameters import may_be_field

TABLE = ",a,b,kind\n" + "\n".join(f"{i},{i * 0.37 % 1:.2f},{i * 0.71 % 1:.2f},{i % 3 + 1}"
                                   for i in range(30))  # fmt: skip
DATES = "day,a,y\n" + "\n".join(f"2020-01-{i + 1:02d},{i * 0.37 % 1:.2f},{i * 0.7:.1f}"
                                for i in range(30))  # fmt: skip
QUALITY = "a,b,quality\n" + "\n".join(f"{i * 0.37 % 1:.2f},{i * 0.71 % 1:.2f},{3 + i % 6}"
                                      for i in range(60))  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """An empty cache, and a data folder with three tables."""
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path))
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "data" / "own"
    folder.mkdir(parents=True)
    for name, content in (("t.csv", TABLE), ("dates.csv", DATES), ("quality.csv", QUALITY)):
        (folder / name).write_text(content)
    st.cache_resource.clear()
    yield folder
    st.cache_resource.clear()


def on_to_explore(app: AppTest) -> RunConfig:
    """Return the run that the link to Explore opens."""
    html = next(e.proto.body for e in app.get("html") if "Train on it" in e.proto.body)
    address = urlsplit(unescape(html.split('href="')[1].split('"')[0]))
    assert address.path == "/explore"
    return RunConfig.from_text({name: v[0] for name, v in parse_qs(address.query).items()})


def test_the_page_opens_with_the_example_and_what_was_understood_of_it():
    app = opened("data")
    assert not app.exception and not app.error and not app.warning
    assert "500 points of 2 numbers" in words(app) and "2 classes" in words(app)
    assert len(app.dataframe) == 1 and list(app.dataframe[0].value.columns)[2] == "class · target"
    assert on_to_explore(app).digest == RunConfig.from_dict({"task": "own"}).digest


def test_a_link_shows_a_file_as_it_was_chosen_to_be_read():
    link = {"d_file": "t.csv", "d_target": "b", "d_without": "kind"}
    app = opened("data", **link)
    assert not app.exception and not app.error
    assert "Target b, real numbers" in words(app)
    assert "Left out: kind (as chosen)" in words(app)
    assert "Left out: column 1 (names the rows)" in words(app)
    run = on_to_explore(app)
    assert (run.data_target, run.data_without, run.data_shape) == ("b", "kind", "1")
    app.selectbox(key="d_file").set_value("quality.csv").run()
    assert app.selectbox(key="d_target").value == "as found"


def test_what_is_asked_is_answered_by_a_button():
    app = opened("data", d_file="dates.csv")
    assert ["holds dates or times in day" in asked.value for asked in app.warning] == [True]
    assert list(app.dataframe[0].value.columns) == ["day", "a", "y"]
    assert not any("Train on it" in e.proto.body for e in app.get("html"))
    app.button(key="answer day").click().run()
    assert not app.warning and on_to_explore(app).data_without == "day"
    app = opened("data", d_file="quality.csv")
    assert [button.label for button in app.button] == ["classes: 6", "numbers"]
    app.button(key="answer 0").click().run()
    assert not app.warning and on_to_explore(app).data_classes == 0


def test_a_file_that_is_put_in_is_kept_and_looked_at(own_folder):
    app = opened("data", d_file="t.csv", d_target="b")
    app.file_uploader(key="upload").upload("../New table.tsv", DATES.replace(",", "\t").encode())
    app.run()
    assert not app.exception and app.selectbox(key="d_file").value == "New_table.csv"
    assert app.selectbox(key="d_target").value == "as found"
    assert ["dates or times in day" in asked.value for asked in app.warning] == [True]
    assert (own_folder / "New_table.csv").is_file()


def test_a_file_that_is_no_data_is_answered_in_a_sentence(own_folder):
    app = opened("data")
    app.file_uploader(key="upload").upload("bad.csv", b"PK\x03\x04\x00")
    app.run()
    assert not app.exception and ["not text in UTF-8" in e.value for e in app.error] == [True]
    assert app.selectbox(key="d_file").value == "example.csv"
    assert not (own_folder / "bad.csv").exists()


def test_what_cannot_be_is_a_sentence():
    app = opened("data", d_file="none.csv")
    assert ["no file 'none.csv' here" in error.value for error in app.error] == [True]
    app = opened("data", d_file="t.csv", d_without="zzz")
    assert ["has no column 'zzz'" in asked.value for asked in app.warning] == [True]
    assert not app.exception


def test_parameters_of_the_page_are_no_fields_of_a_run():
    app = opened("explore", d_file="t.csv", d_target="b")
    assert not app.exception and not app.error
    assert not any(may_be_field(name) for name in ("d_file", "d_target", "d_missing"))


def test_words_of_a_file_stay_words_on_the_page():
    evil = view.plain("![x](http://a.b/c) `code` <b> $y$ # *z*")
    assert evil.startswith("!\\[x\\](http:\u2060//a") and "\\<b>" in evil and "\\$y\\$" in evil
    assert "\\`code\\`" in evil and "\\*z\\*" in evil
    assert str(own.folder()) not in view.plain(f"row 3 of {own.folder()}/t.csv holds")


# ── files that come in ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("mine.csv", "mine.csv"),
        ("My data (1).CSV", "My_data_1.csv"),
        ("../../etc/passwd.txt", "passwd.csv"),
        ("C:\\Users\\x\\größe.tsv", "gr_e.csv"),
        ("....csv", "table.csv"),
        ("-rf.dat", "rf.csv"),
        ("a" * 300 + ".csv", "a" * 22 + ".csv"),
        ("x\x00\n<b>.csv", "x_b.csv"),
    ],
)
def test_a_file_is_kept_under_a_safe_name_in_the_folder(given, kept, own_folder):
    (own_folder / "t.csv").unlink()
    assert uploads.keep(given, TABLE.encode()) == kept
    assert (own_folder / kept).read_text() == TABLE and kept in own.names()
    assert not list(own_folder.glob("*.part")) and own.describe(kept).classes == 3


def test_a_file_of_the_same_name_and_other_content_is_not_written_over(own_folder):
    assert uploads.keep("t.csv", TABLE.encode()) == "t.csv"
    other = uploads.keep("t.csv", DATES.encode())
    assert other == f"t-{own.hash_of(DATES.encode())[:8]}.csv" and other in own.names()
    assert uploads.keep("t.csv", DATES.encode()) == other
    assert (own_folder / "t.csv").read_text() == TABLE
    (own_folder / other).write_text(TABLE)
    with pytest.raises(DataError, match="there is another file named t-"):
        uploads.keep("t.csv", DATES.encode())
    assert uploads.keep("example.csv", TABLE.encode()).startswith("example-")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.exe", b"MZ", "is not taken: give a table as text"),
        ("sheet.xlsx", b"PK", "Excel saves a sheet as CSV"),
        ("csv", b"1,2\n", "is not taken"),
        ("a.csv", b"\x80\x04\x95\x00", "is not text"),
        ("a.npz", b"\x80\x04\x95", "damaged or not whole"),
        ("a.csv", b"1,2\n" * 1_400_000, "more than the 5 MB"),
        ("a.csv", b"1,2\n3,4,5\n", "has 3 columns"),
    ],
)
def test_what_is_no_data_is_refused_and_leaves_nothing_behind(name, data, said, own_folder):
    before = sorted(path.name for path in own_folder.iterdir())
    with pytest.raises(DataError, match=said) as error:
        uploads.keep(name, data)
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in own_folder.iterdir()) == before


def test_objects_are_never_unpickled_on_their_way_in(own_folder, tmp_path):
    path = tmp_path / "o.npz"
    np.savez(path, x=np.array([{"a": 1}] * 4, dtype=object), y=np.arange(4))
    with pytest.raises(DataError, match="Python objects"):
        uploads.keep("o.npz", path.read_bytes())


def test_a_full_folder_says_so(own_folder, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    with pytest.raises(DataError, match="is full \\(3 files"):
        uploads.keep("new.csv", TABLE.encode())
    monkeypatch.setattr(uploads, "MOST_FILES", 9)
    monkeypatch.setattr(own, "folder", lambda: own_folder / "t.csv" / "below")
    with pytest.raises(DataError, match="cannot keep the file new.csv"):
        uploads.keep("new.csv", TABLE.encode())


# ── in a browser ─────────────────────────────────────────────────────────────────────────
@pytest.mark.browser
def test_a_table_is_put_in_understood_and_taken_on_to_explore(tab, tmp_path):
    path = tmp_path / "a table.csv"
    path.write_text(TABLE)
    with running_server(tmp_path) as (_, server):  # its own: the file is kept
        tab.goto(f"{server}/data")
        tab.get_by_text("500 points of 2 numbers").wait_for()
        tab.locator("input[type=file]").set_input_files(path)
        tab.get_by_text("Target kind, 3 classes").wait_for()
        tab.get_by_text("Left out: column 1 (names the rows)").wait_for()
        expect_in_link(tab, d_file="a_table.csv")
        tab.reload()
        tab.get_by_text("Target kind, 3 classes").wait_for()
        tab.get_by_role("link", name="Train on it in Explore").click()
        tab.get_by_role("button", name="Run", exact=True).wait_for()
        expect_in_link(tab, data_file="a_table.csv", data_target="last column")
        tab.get_by_text("Not computed yet: press Run.").wait_for()
        expect(tab.get_by_test_id("stAlert")).to_have_count(1)
        assert not tab.locator("[data-testid=stException]").count()
