"""Tables of people's kinds: understood as a person would, or asked about in one sentence."""

import numpy as np
import pytest

from lazycore.config.run import RunConfig
from lazycore.datasets import folders, own
from lazycore.datasets.understood import Choices, Question, in_units
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError, DataError

RNG = np.random.default_rng(3)
NUMBERS = RNG.standard_normal((40, 3)).round(2)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The folder `own` of a data folder of the test's own."""
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data" / "own").mkdir(parents=True)
    return tmp_path / "data" / "own"


def text(head: str | None, *columns, separator: str = ",") -> str:
    """Return a table of these columns below a line of names."""
    rows = [separator.join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join(([head] if head is not None else []) + rows) + "\n"


def every(values, count: int = 40) -> list:
    """Return these values again and again."""
    return [values[i % len(values)] for i in range(count)]


A, B, Y = NUMBERS.T
COUNT = range(40)
PLAIN = text("a,b,y", A, B, Y)
DECIMAL = text("a;b;y", A, B, Y, separator=";").replace(".", ",")

UNDERSTOOD = {
    "commas and names": (PLAIN, "y", "a b", 0),
    "no names": (text(None, A, B, Y), "column 3", "column 1,column 2", 0),
    "semicolons and decimal commas": (DECIMAL, "y", "a b", 0),
    "tabs": (text("a\tb\ty", A, B, Y, separator="\t"), "y", "a b", 0),
    "bars": (text("a|b|y", A, B, Y, separator="|"), "y", "a b", 0),
    "several spaces": (text(" a  b y", A, B, Y, separator="   "), "y", "a b", 0),
    "a byte order mark and Windows lines": (
        "\ufeff" + PLAIN.replace("\n", "\r\n"), "y", "a b", 0),
    "UTF-16, as Excel's Unicode text": (
        text("a\tb\ty", A, B, Y, separator="\t").encode("utf-16"), "y", "a b", 0),
    "Latin-1": (PLAIN.replace("a,b", "größe,höhe").encode("latin-1"), "y", "größe,höhe", 0),
    "Excel's own first line": ("sep=;\n" + PLAIN.replace(",", ";"), "y", "a b", 0),
    "names in a comment": ("# of a machine\n# a,b,y\n" + text(None, A, B, Y), "y", "a b", 0),
    "empty lines and rows": ("\n" + PLAIN + "\n,,\n,,\n", "y", "a b", 0),
    "separators at the ends": (PLAIN.replace("\n", ",\n"), "y", "a b", 0),
    "names that come again": (PLAIN + "a,b,y\n" + text(None, A, B, Y), "y", "a b", 0),
    "columns only counted from 0": (text("0,1,2", A, B, Y), "2", "0,1", 0),
    "columns only counted from 1": (text("1,2,3", A, B, Y), "3", "1,2", 0),
    "pandas with its index": (text(",a,b,y", COUNT, A, B, Y), "y", "a b", 0),
    "pandas with its index read again": (text("Unnamed: 0,a,b,y", COUNT, A, B, Y), "y", "a b", 0),
    "R with names of rows": (
        text('"a","b","y"', [f'"{i + 1}"' for i in COUNT], A, B, Y), "y", "a b", 0),
    "row names that are words": (text(",a,y", [f"car {i}" for i in COUNT], A, Y), "y", "a", 0),
    "numbers of rows without a name": (
        text(None, range(1, 41), A, B, every("PQ")), "column 4", "column 2,column 3", 2),
    "an id of no order": (text("id,a,y", RNG.permutation(9999)[:40], A, Y), "y", "a", 0),
    "an id, a diagnosis, an empty column": (
        text("id,diagnosis,a,b,Unnamed: 32", range(7, 47), every("MB"), A, B, every([""])),
        "diagnosis", "a b", 2),
    "the label first": (text("label,p0,p1", every([7, 2, 1, 0]), A, B), "label", "p0 p1", 4),
    "the target in the middle": (text("a,target,b", A, Y, B), "target", "a b", 0),
    "the species last, as words": (text("a,b,Species", A, B, every("uvw")), "Species", "a b", 3),
    "words without names": (
        text(None, A, B, every("uvw")), "column 3", "column 1,column 2", 3),
    "yes and no": (text("a,b,bought", A, B, every(["yes", "no"])), "bought", "a b", 2),
    "classes from 1": (text("a,b,kind", A, B, every([1, 2, 3])), "kind", "a b", 3),
    "classes 1 and 2": (text("a,b,kind", A, B, every([2, 1])), "kind", "a b", 2),
    "classes 0 and 2": (text("a,b,kind", A, B, every([0, 2])), "kind", "a b", 2),
    "classes as decimals": (text("a,b,kind", A, B, every(["1.0", "2.0"])), "kind", "a b", 2),
    "classes with gaps, by their name": (
        text("a,b,type", A, B, every([1, 2, 3, 5, 6, 7])), "type", "a b", 6),
    "words among the inputs": (
        text("sex,town,y", every(["m", "f"]), every(["x", "z", "w"]), Y),
        "y", "sex=m,town=w,town=x,town=z", 0),
    "passengers": (
        text("PassengerId,Survived,Name,Age", range(1, 41), every([0, 1]),
             [f'"Last {i}, Mr"' for i in COUNT], A),
        "Survived", "Age", 2),
    "a constant column": (text("a,c,y", A, every([7.7]), Y), "y", "a c", 0),
    "large units": (text("a,b,price", A, B, (2e5 * Y).round()), "price", "a b", 0),
    "thousands": (text("a,b,price", A, B, [f'"{1 + i},250"' for i in COUNT]), "price", "a b", 0),
    "coordinates": (text("x,y,height", A, B, Y), "height", "x y", 0),
    "a title above": ("Of a machine\n\n" + PLAIN, "y", "a b", 0),
    "years as names": (
        text("country,2019,2020", every(["France", "Chile"]), A, Y),
        "2020", "country=France,2019", 0),
    "a time that counts": (text("t,y", COUNT, Y), "y", "t", 0),
    "counts are no classes": (text("a,b,n", A, B, COUNT), "n", "a b", 0),
    "a word that comes again among few numbers": (
        text("rooms,a,y", every([1, 2, "3+"]), A, Y), "y", "rooms=1,rooms=2,rooms=3+,a", 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNDERSTOOD)
def test_a_table_is_understood_as_a_person_would(kind):
    content, target, inputs, classes = UNDERSTOOD[kind]
    data = content if isinstance(content, bytes) else content.encode()
    found = own.parse(data, "t.csv")
    said = own.understood(found)
    assert (said.target, found.classes) == (target, classes)
    assert found.raw.inputs == tuple(inputs.split("," if "," in inputs else " "))
    assert found.train[0].shape[1] == len(found.raw.inputs) and found.train[0].shape[0] % 40 == 0
    for name, values in (("a", A), ("b", B)):
        if name in found.raw.inputs:
            column = found.train[0][:, found.raw.inputs.index(name)]
            assert np.array_equal(column[:40], values)
    if target in ("y", "height", "2", "3", "2020"):
        assert np.array_equal(found.train[1][:40], Y)


ASKED = {
    "classes first, numbers last": (
        text(None, every([1, 2, 3]), A, B), "data_target", ("column 1", "column 3")),
    "two that may be the target": (
        text("a,b,target,species", A, B, every([0, 1]), every("uv")),
        "data_target", ("target", "species")),
    "a class in the middle": (text("a,class,b", A, every([0, 1]), B), "data_target",
                              ("class", "b")),
    "missing values": (text("a,b,y", A, ["NA", *B[1:]], Y), "data_missing",
                       ("drop_rows", "mean")),
    "dates": (text("day,a,y", [f"2020-01-{1 + i % 28:02d}" for i in COUNT], A, Y),
              "data_without", ("day",)),
    "many words": (text("town,a,y", [f"town {i // 2}" for i in range(60)], every(A, 60),
                        every(Y, 60)), "data_without", ("town",)),
    "a bad cell": (text("a,b,y", ["x", *A[1:]], B, Y), "data_without", ("a",)),
}  # fmt: skip


@pytest.mark.parametrize("kind", ASKED)
def test_what_a_person_would_ask_is_asked_in_a_sentence_with_its_answers(kind):
    content, field, options = ASKED[kind]
    with pytest.raises(Question) as asked:
        own.parse(content.encode(), "t.csv")
    sentence = str(asked.value)
    assert (asked.value.field, asked.value.options) == (field, options)
    assert "\n" not in sentence and sentence[-1] in ".?" and f"{field}={options[-1]}" in sentence
    for option in options:  # each answer is one
        names = {"data_target": "target", "data_missing": "missing", "data_without": "without"}
        value = (option,) if field == "data_without" else option
        own.parse(content.encode(), "t.csv", Choices(**{names[field]: value}))


def test_few_whole_numbers_are_asked_about_and_either_answer_is_taken(own_folder):
    quality = every([3, 4, 5, 6, 7, 8], 60)
    (own_folder / "wine.csv").write_text(text("a,b,quality", every(A, 60), every(B, 60), quality))
    fields = {"task": "own", "data_file": "wine.csv"}
    with pytest.raises(ConfigError, match="give data_classes=6 .* or data_classes=0"):
        RunConfig.from_dict(fields)
    assert own.describe("wine.csv").understood.notes[-1].startswith("The target quality of")
    six = RunConfig.from_dict(fields | {"data_classes": 6, "loss": "cross_entropy"})
    assert dataset(six.resolve().to_dict()).y_train.shape[1] == 6
    real = RunConfig.from_dict(fields | {"data_classes": 0}).resolve().to_dict()
    assert dataset(real).classes == 0


REFUSED = [
    (b"PK\x03\x04\x14\x00\x08abc\xff", "is not text in UTF-8 or UTF-16"),
    (b"a\x00b,c\n1,2\n", "is not text in UTF-8 or UTF-16"),
    (b"id,name\n1,anna\n2,ben\n", "beside id"),
    (b"a,y\n1,u\n2,u\n", "the target y of t.csv holds 'u' in each row"),
    (b"a,y\n1,2\n3,x\n5,6\n", "row 3 of t.csv holds 'x', no finite number as the others of y;"),
    (text("a,y", range(300), [f"{i}.{i // 2}x" for i in range(300)]).encode(),
     "300 different words, more than 100 classes"),
    (b"a,b\n", "holds no rows of at least two numbers below its names"),
    (b"1," * 11_000 + b"1\n", "more than the 10,100 columns"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), REFUSED)
def test_what_is_no_table_is_refused_in_a_sentence(data, said):
    with pytest.raises(DataError, match=said) as error:
        own.parse(data, "t.csv", Choices(target="y" if b"a,y" in data else ""))
    assert "\n" not in str(error.value)


def test_words_that_would_become_too_many_numbers_are_refused(monkeypatch):
    monkeypatch.setattr("lazycore.datasets.rows.MOST_CELLS", 100)
    with pytest.raises(DataError, match="40 rows of 4 numbers, words as columns of 0 and 1"):
        own.parse(text("town,a,y", every("uvw"), A, Y).encode(), "t.csv")


def test_hostile_cells_are_read_in_no_time_and_said_in_a_short_sentence():
    for cell in ("1" * 60_000 + "x", "1,1." * 20_000, "$" * 90_000, "id" * 50_000, " ' " * 9_000):
        content = f'a,b,y\n1,2,3\n4,"{cell}",6\n7,8,9\n'
        with pytest.raises(DataError) as error:
            own.parse(content.encode(), "t.csv")
        assert len(str(error.value)) < 300
    odd = own.parse(f'"{"n" * 5000}\x1b[2J,+",b,y\n1,2,3.5\n4,6,6.5\n'.encode(), "t.csv")
    assert max(len(line) for line in own.understood(odd).sentences) < 200


# ── what is chosen ───────────────────────────────────────────────────────────────────────
def test_missing_values_are_left_out_or_take_the_mean_of_the_training_points(own_folder):
    gaps = [("" if i % 5 == 2 else a) for i, a in enumerate(A)]
    no_target = [("NA" if i == 7 else 1.5 * i) for i in COUNT]
    (own_folder / "m.csv").write_text(text("a,b,y", gaps, B, no_target))
    fields = {"task": "own", "data_file": "m.csv", "target_scaling": "none"}
    dropped = RunConfig.from_dict(fields | {"data_missing": "drop_rows"}).resolve().to_dict()
    assert dropped["n_train"] + dropped["n_test"] == 40 - 8  # row 7 misses both
    filled = RunConfig.from_dict(fields | {"data_missing": "mean", "n_train": 26, "n_test": 13})
    data = dataset(filled.resolve().to_dict())
    order = (data.y_train[:, 0] / 1.5).astype(int)
    there = np.array([i % 5 != 2 for i in order])
    column = np.where(there, A[order], A[order][there].mean())
    assert np.allclose(data.x_train[:, 0], (column - column.mean()) / column.std())
    assert np.isfinite(data.x_test).all()


def test_columns_are_left_out_by_name_or_number(own_folder):
    (own_folder / "w.csv").write_text(text("a,b,c,y", A, B, A, Y))
    fields = {"task": "own", "data_file": "w.csv"}
    one = RunConfig.from_dict(fields | {"data_without": "b+3"})
    assert one.data_shape == "1" and one.digest != RunConfig.from_dict(fields).digest
    with pytest.raises(ConfigError, match="has no column 'd': give data_without as one of a, b"):
        RunConfig.from_dict(fields | {"data_without": "d"})
    with pytest.raises(ConfigError, match="cannot be the target"):
        RunConfig.from_dict(fields | {"data_without": "y", "data_target": "y"})
    with pytest.raises(ConfigError, match="no column is left to learn from"):
        RunConfig.from_dict(fields | {"data_without": "a+b+c", "data_target": "y"})
    gaps = text("a,y", every(["", 1]), every([1, ""]))
    with pytest.raises(DataError, match="no row of t.csv is left"):
        own.parse(gaps.encode(), "t.csv", Choices(missing="drop_rows"))


def test_a_target_has_one_name_in_configs_however_it_is_given(own_folder):
    (own_folder / "t.csv").write_text(text("a,b,c", A, B, Y))
    fields = {"task": "own", "data_file": "t.csv"}
    runs = [RunConfig.from_dict(fields | {"data_target": t}) for t in ("b", "2", "B", "column 2")]
    assert {run.data_target for run in runs} == {"b"} and len({run.digest for run in runs}) == 1
    last = [RunConfig.from_dict(fields | more) for more in ({}, {"data_target": "c"})]
    assert {run.data_target for run in last} == {"last column"} and last[0].digest == last[1].digest
    with pytest.raises(ConfigError, match="has no column 'd': give data_target as one of a, b, c"):
        RunConfig.from_dict(fields | {"data_target": "d"})
    odd = own.parse(text('"a,b:c",b', A, B).encode(), "t.csv", Choices(target="first"))
    assert odd.raw.chosen == "column 1"


def test_a_plain_table_of_classes_has_the_digest_it_always_had():
    assert RunConfig.from_dict({"task": "own"}).digest == "b988b90cd5a1c342"
    real = RunConfig.from_dict({"task": "own", "data_classes": 0, "target_scaling": "none"})
    assert real.digest == "1306f0a79c59e683"
    assert RunConfig.from_dict({"task": "own", "data_classes": 0}).digest != real.digest


def test_a_table_that_is_read_otherwise_than_before_has_another_digest(own_folder):
    (own_folder / "n.csv").write_text(text("0,1,2", A, B, Y))
    run = RunConfig.from_dict({"task": "own", "data_file": "n.csv"})
    assert run.data_target == "2"
    again = RunConfig.from_text(run.to_text())
    (own_folder / "n.csv").unlink()
    assert RunConfig.from_text(run.resolve().to_text()).digest == again.digest == run.digest


def test_what_may_be_meant_otherwise_or_cannot_be_learned_is_said():
    few = text("a,b,k", A[:9], B[:9], every([0, 2, 4], 9))
    said = own.understood(own.parse(few.encode(), "t.csv")).sentences
    assert "With data_classes=3 the 3 whole numbers of the target are classes." in said
    same = own.understood(own.parse(text("a,y", A, every([3])).encode(), "t.csv")).sentences
    assert "All targets are 3, so that there is nothing to learn." in same


def test_a_target_that_cannot_be_of_the_chosen_kind_is_refused():
    words, many = text("a,y", A, every("uv")), text("a,y", range(300), np.arange(300) / 7)
    for content, kind in ((words, "numbers"), (many, "classes")):
        with pytest.raises(DataError, match=f"cannot be taken as {kind}"):
            own.parse(content.encode(), "t.csv", Choices(kind=kind))


def test_an_input_that_is_the_target_by_another_name_is_said():
    content = text("a,kind,target", A, every("uvw"), every([0, 1, 2]))
    notes = own.understood(own.parse(content.encode(), "t.csv")).notes
    assert any(note.startswith("kind alone tells target, one value to each") for note in notes)


# ── arrays ───────────────────────────────────────────────────────────────────────────────
X = NUMBERS[:, :2]
ARRAYS = {
    "words": (np.array(every(["no", "yes"])), 2),
    "bytes": (np.array(every([b"no", b"yes"])), 2),
    "a column": (Y[:, None], 0),
    "truth values": (Y > 0, 2),
    "classes 1 and 2": (np.array(every([1, 2])), 2),
    "classes from 1": (np.array(every([1, 2, 3]), np.uint8), 3),
    "rows that mark a class": (np.eye(3)[every([0, 1, 2])], 3),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_targets_are_understood_as_a_person_would(kind, own_folder):
    y, classes = ARRAYS[kind]
    np.savez(own_folder / "a.npz", X=X, y=y)
    values = RunConfig.from_dict({"task": "own", "data_file": "a.npz", "n_train": 40}).resolve()
    assert (values.data_shape, values.data_classes) == ("2", classes)
    found = dataset(values.to_dict() | {"loss": "square"})
    assert found.classes == classes and found.y_train.shape == (40, max(1, classes * (classes > 2)))


def test_arrays_that_cannot_be_targets_are_refused(own_folder):
    for y, said in (
        (NUMBERS, "give one target to each point, as y"),
        (np.array(every(["u"])), "from 2 to 100 classes are read"),
        (np.array(every(["2020-01-01"]), "datetime64[D]"), "no real numbers"),
    ):
        np.savez(own_folder / "a.npz", x=X, y=y)
        with pytest.raises(ConfigError, match=said):
            RunConfig.from_dict({"task": "own", "data_file": "a.npz"})


def test_missing_numbers_in_arrays_are_a_choice_too(own_folder):
    x = X.copy()
    x[::4, 1] = np.nan
    np.savez(own_folder / "a.npz", x=x, y=Y)
    fields = {"task": "own", "data_file": "a.npz"}
    with pytest.raises(ConfigError, match="missing in 10 of 40 points; give data_missing=drop"):
        RunConfig.from_dict(fields)
    assert own.describe("a.npz", Choices(missing="drop_rows")).rows == 30
    values = RunConfig.from_dict(fields | {"data_missing": "mean", "n_test": 9}).resolve()
    data = dataset(values.to_dict())
    assert np.isfinite(data.x_train).all() and np.isfinite(data.x_test).all()


# ── what is trained on ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("noise", [0.0, 1e-15])
@pytest.mark.parametrize("value", [7.7, 0.1, -1e6, 0.0])
def test_a_column_that_is_constant_but_for_rounding_is_nothing_everywhere(value, noise, own_folder):
    x, t = RNG.standard_normal((60, 3)), RNG.standard_normal((30, 3))
    x[:, 2], t[:, 2] = value * (1.0 + noise * RNG.standard_normal(60)), value
    t[0, 2] = value + 0.1
    np.savez(own_folder / "c.npz", x_train=x, y_train=x[:, 0], x_test=t, y_test=t[:, 0])
    data = dataset(RunConfig.from_dict({"task": "own", "data_file": "c.npz"}).resolve().to_dict())
    assert not data.x_train[:, 2].any() and not data.x_test[:, 2].any()
    assert np.abs(data.x_test).max() < 10.0
    notes = own.describe("c.npz").understood.notes
    assert any("tell nothing and are 0: column 3" in note for note in notes)


def test_images_that_are_all_the_mean_but_for_rounding_stay_at_the_origin(own_folder):
    image = RNG.uniform(size=(1, 4, 4)) * 0.1
    np.savez(own_folder / "i.npz", x=np.repeat(image, 9, axis=0), y=np.arange(9) % 2)
    values = RunConfig.from_dict({"task": "own", "data_file": "i.npz", "n_train": 7}).resolve()
    assert not dataset(values.to_dict()).x_train.any()


@pytest.mark.parametrize("unit", [100.0, 2e5, 1e-6])
def test_the_units_of_the_target_change_nothing(unit, own_folder):
    x = RNG.standard_normal((60, 5))
    found = []
    for name, scale in (("one.npz", 1.0), ("other.npz", unit)):
        np.savez(own_folder / name, x=x, y=(x[:, 0] + 3.0) * scale)
        values = RunConfig.from_dict({"task": "own", "data_file": name}).resolve().to_dict()
        assert values["target_scaling"] == "standard"
        found.append(dataset(values))
    one, other = found
    assert np.allclose(one.y_train, other.y_train) and np.allclose(one.y_test, other.y_test)
    assert np.allclose(one.y_train.mean(), 0.0) and np.allclose(one.y_train.std(), 1.0)
    assert other.units["target_scale"] == pytest.approx(unit * one.units["target_scale"])
    back = other.units["target_mean"] + other.units["target_scale"] * other.y_test[:, 0]
    assert np.isin((back / unit).round(9), (x[:, 0] + 3.0).round(9)).all()


def test_a_record_says_the_units_in_which_it_is(own_folder):
    from lazycore.running.run import run

    x = RNG.standard_normal((30, 3))
    verdicts = set()
    for name, unit in (("one.npz", 1.0), ("price.npz", 2e5)):
        np.savez(own_folder / name, x=x, y=x[:, 0] * unit)
        fields = {"task": "own", "data_file": name, "dynamics": "gd", "steps": 60}
        result = run(RunConfig.from_dict(fields), device="cpu")
        record = result.to_dict()
        assert result.status == "done"
        verdicts.add((result.verdict, round(record["nonlinear"]["train_loss"][-1], 9)))
        assert record["target_scale"] == pytest.approx(unit, rel=0.5)
        said = in_units(record["target_mean"], record["target_scale"])
        assert f"{record['target_scale'] ** 2:.4g} of them squared" in said
    assert len(verdicts) == 1
    plain = run(RunConfig.from_dict(fields | {"target_scaling": "none"}), device="cpu").to_dict()
    assert "target_scale" not in plain


def test_targets_that_are_all_one_are_refused_before_anything_is_trained(own_folder):
    (own_folder / "t.csv").write_text(text("a,b,y", A, B, every([0.1])))
    values = RunConfig.from_dict({"task": "own", "data_file": "t.csv"}).resolve().to_dict()
    with pytest.raises(DataError, match="26 training targets y of t.csv are all 0.1"):
        dataset(values)
    assert dataset(values | {"target_scaling": "none"}).y_train.std() == pytest.approx(0.0)


# ── what was there before ────────────────────────────────────────────────────────────────
OLD = {
    "task": "own",
    "data_file": "old.csv",
    "data_hash": None,
    "data_shape": "2",
    "data_classes": 0,
    "n_train": 20,
    "n_test": 10,
}


def test_a_config_from_before_targets_had_names_is_what_it_was(own_folder):
    (own_folder / "old.csv").write_text(PLAIN)
    old = OLD | {"data_hash": own.hash_now("old.csv")}
    run = RunConfig.from_dict(old)
    assert (run.data_target, run.target_scaling) == ("last column", "none")
    digest = run.digest
    y = dataset(run.resolve().to_dict()).y_train[:, 0]
    assert np.isin(y, Y).all()
    (own_folder / "old.csv").unlink()  # its link and its record open all the same
    again = RunConfig.from_dict(old)
    assert again.digest == digest and RunConfig.from_text(again.to_text()) == again


def test_a_config_of_a_table_that_was_read_otherwise_opens_and_is_not_run(own_folder):
    for content, shape in ((text("0,1,2", A, B, Y), "2"), (text(",a,b,y", COUNT, A, B, Y), "3")):
        (own_folder / "old.csv").write_text(content)
        run = RunConfig.from_dict(OLD | {"data_hash": own.hash_now("old.csv"), "data_shape": shape})
        with pytest.raises(DataError, match="as it is read now: leave data_shape"):
            dataset(run.resolve().to_dict())
