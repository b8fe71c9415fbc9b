"""`RunConfig` tells its fields: in its signature, in `help`, and in a line of its own."""

import inspect
import pydoc

import pytest

from lazycore import RunConfig
from lazycore.config.described import told
from lazycore.config.run import all_fields


def test_the_signature_has_every_field_and_a_tasks_own():
    names = {*inspect.signature(RunConfig).parameters}
    assert names == {*all_fields()} and {"parity_order", "data_file", "matrix_rank"} <= names


def test_help_says_of_every_field_what_it_means_takes_and_is_when_left_out():
    said = " ".join(pydoc.render_doc(RunConfig, renderer=pydoc.plaintext).replace("|", "").split())
    for name, field in all_fields().items():
        assert f"{name}: {' '.join(told(field).split())}" in said, name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("alpha", ("from 1e-09 to 1e+12", "1 when left out")),
        ("momentum", ("0 when left out", "0.9 for")),
        ("n_train", ("100 when left out", "20 for sine", "matrix_completion")),
        ("scaling", ("ntk, plain, mean_field",)),
        ("data_seed", ("set by the other fields when left out",)),
        ("pca", ("null when left out",)),
        ("noise", ("from 0 to 100", "standard deviation", "probability")),
    ],
)
def test_ranges_and_defaults_are_those_of_all_files(name, parts):
    said = told(all_fields()[name])
    assert all(part in said for part in parts), said


def test_a_config_is_the_call_that_makes_it():
    config = RunConfig(alpha=3, task="parity", parity_order=2)
    assert repr(config) == "RunConfig(task='parity', alpha=3.0, parity_order=2)"
    made = {k: v for k, v in config.given().items()}
    assert RunConfig(**made) == config


def test_a_config_of_many_fields_is_a_line_all_the_same():
    whole = RunConfig(alpha=3).resolve()
    assert len(repr(whole)) < 300 and whole.digest in repr(whole) and "more>" in repr(whole)


def test_a_config_in_a_notebook_says_what_was_given_and_what_follows():
    said = RunConfig(alpha=3, task="sine")._repr_html_()
    assert "2 fields given" in said and "output scale α" in said and "hidden units" in said
