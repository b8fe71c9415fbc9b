"""Files of the user's own: by name only, known by their content, refused in a sentence."""

import ast
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.datasets import folders, own, points
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError, DataError
from lazycore.figures import export
from lazycore.tasks import Streams

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> Path:
    """The folder `own` of a data folder of the test's own."""
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data" / "own").mkdir(parents=True)
    return tmp_path / "data" / "own"


def table(rows: int = 30) -> str:
    """Return a CSV file of two columns and a real target."""
    numbers = RNG.standard_normal((rows, 3)).round(3)
    return "a,b,y\n" + "\n".join(",".join(map(str, row)) for row in numbers)


def resolved(**fields) -> dict:
    return RunConfig.from_dict({"task": "own"} | fields).resolve().to_dict()


# ── the config ───────────────────────────────────────────────────────────────────────────
def test_the_shipped_example_is_what_is_run_by_default():
    values = resolved()
    assert values["data_file"] == "example.csv" and values["data_shape"] == "2"
    assert values["data_classes"] == 2 and (values["n_train"], values["n_test"]) == (100, 200)
    data = dataset(values)
    assert data.x_train.shape == (100, 2) and set(data.y_train.ravel()) == {-1.0, 1.0}


def test_a_config_says_the_hash_the_shape_and_the_classes_of_the_file(own_folder):
    (own_folder / "mine.csv").write_text(table())
    values = resolved(data_file="mine.csv")
    assert values["data_hash"] == own.hash_of((own_folder / "mine.csv").read_bytes())
    assert (values["data_shape"], values["data_classes"]) == ("2", 0)
    assert (values["n_train"], values["n_test"]) == (20, 10)


def test_equal_digests_are_equal_data(own_folder):
    path = own_folder / "mine.csv"
    path.write_text(table())
    before = RunConfig.from_dict({"task": "own", "data_file": "mine.csv"})
    values = before.resolve().to_dict()
    first = dataset(values)
    path.write_text(path.read_text().replace("\n", "\n", 1) + "\n1,2,3")
    os.utime(path, ns=(1, 1))
    after = RunConfig.from_dict({"task": "own", "data_file": "mine.csv"})
    assert after.digest != before.digest
    with pytest.raises(DataError, match="put that file back, or leave data_hash out") as error:
        dataset(values)
    assert str(path) in str(error.value)
    path.write_text("\n".join(path.read_text().split("\n")[:-1]))
    assert np.array_equal(dataset(values).x_train, first.x_train)


def test_a_link_opens_where_there_is_no_such_file(own_folder):
    (own_folder / "mine.csv").write_text(table())
    run = RunConfig.from_dict({"task": "own", "data_file": "mine.csv"}).resolve()
    (own_folder / "mine.csv").unlink()
    again = RunConfig.from_text(run.to_text())
    assert again.digest == run.digest
    assert RunConfig.from_dict(json.loads(json.dumps(run.to_dict()))) == run
    with pytest.raises(DataError, match="there is no data file mine.csv here: put it into"):
        dataset(again.to_dict())
    with pytest.raises(ConfigError, match="there is no data file mine.csv here"):
        RunConfig.from_dict({"task": "own", "data_file": "mine.csv"})


@pytest.mark.parametrize(
    "name",
    ["../secret.csv", "/etc/passwd", "a/b.csv", "..\\x.csv", ".csv", "x.pkl", "", "a" * 60 + ".csv"]
    + ["x.csv\n", "x.csv\0", "..", "C:x.csv"],
)
def test_only_a_name_is_taken(name, own_folder):
    (own_folder.parent / "secret.csv").write_text(table())
    with pytest.raises(ConfigError, match="data_file"):
        RunConfig.from_dict({"task": "own", "data_file": name, "data_hash": "0" * 16})
    with pytest.raises(DataError, match="is not allowed"):
        own.path_of(name)


def test_a_link_out_of_the_folder_is_not_followed(own_folder):
    (own_folder.parent / "secret.csv").write_text(table())
    (own_folder / "mine.csv").symlink_to(own_folder.parent / "secret.csv")
    with pytest.raises(ConfigError, match="leads out of its folder"):
        RunConfig.from_dict({"task": "own", "data_file": "mine.csv"})
    assert "example.csv" in own.names()


def test_a_config_holds_what_it_read_from_its_birth_on(own_folder):
    path = own_folder / "mine.csv"
    path.write_text(table())
    run = RunConfig.from_dict({"task": "own", "data_file": "mine.csv", "n_test": 4})
    sweep = SweepConfig.from_text({"task": "own", "data_file": "mine.csv", "alpha": "1,10"})
    held = {"data_hash", "data_shape", "data_classes", "n_train", "n_test"}
    for given in (run.given(), sweep.base.given(), sweep.to_dict()["base"]):
        assert held <= given.keys() and "width" not in given
    # The file changes after the sweep was queued: its cells are what they were, and refused.
    path.write_text(table(rows=9))
    again = SweepConfig.from_dict(json.loads(json.dumps(sweep.to_dict())))
    assert again.digest == sweep.digest
    with pytest.raises(DataError, match="put that file back"):
        dataset(again.cells[0].config.resolve().to_dict())


def test_code_that_is_taken_away_names_the_content_of_the_file():
    config = RunConfig.from_dict({"task": "own", "alpha": 3.0})
    text = export.code(config.resolve().to_dict(), "losses.figure")
    assert f"'data_hash': '{config.data_hash}'" in text and "from_dict" in text
    line = next(line for line in text.splitlines() if line.startswith("config = "))
    found = ast.literal_eval(line[line.index("{") : line.index("}") + 1])
    assert RunConfig.from_dict(found).digest == config.digest
    many = export.code_over_alpha([config.resolve().to_dict()], "exponent.figure")
    assert "RunConfig.from_dict({'alpha': a, " in many
    plain = export.code_over_alpha([RunConfig(width=7).resolve().to_dict()], "exponent.figure")
    assert "RunConfig(alpha=a, width=7)" in plain


def test_a_file_is_no_axis_of_a_sweep():
    for name in ("data_file", "data_hash"):
        with pytest.raises(ConfigError, match="cannot be an axis"):
            SweepConfig.from_text({"task": "own", name: "a.csv,b.csv"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"data_hash": "xyz"},
        {"data_hash": "0" * 17},
        {"data_shape": "0"},
        {"data_shape": "3x"},
        {"data_shape": "1x2x3x4"},
        {"data_classes": 101},
        {"data_shape": "3"},
        {"data_classes": 5},
        {"n_train": 400, "n_test": 101},
        {"noise": 1.5},
    ],
)
def test_what_the_file_cannot_be_is_refused_at_once(wrong):
    with pytest.raises(ConfigError, match="give"):
        resolved(**wrong)


def test_targets_of_classes_can_be_taken_as_numbers():
    assert dataset(resolved(data_classes=0)).classes == 0
    assert resolved(data_classes=0)["noise"] == 0.0


def test_a_config_that_was_true_of_no_file_is_refused_when_it_is_run():
    values = resolved()
    for wrong in ({"data_shape": "3"}, {"data_classes": 7}):
        with pytest.raises(DataError, match="does not hold points of shape"):
            dataset(values | wrong)
    with pytest.raises(DataError, match="more than the 500 points"):
        dataset(values | {"n_train": 501})


# ── what is read ─────────────────────────────────────────────────────────────────────────
def test_columns_are_standardised_by_the_training_points(own_folder):
    numbers = RNG.standard_normal((50, 2)) * [3.0, 0.0] + [7.0, 5.0]
    np.savez(own_folder / "t.npz", allow_pickle=False, x=numbers, y=numbers[:, 0])
    as_they_are = {"data_file": "t.npz", "target_scaling": "none"}
    data = dataset(resolved(**as_they_are, n_train=30, n_test=20))
    assert np.allclose(data.x_train.mean(0), 0.0) and np.allclose(data.x_train.std(0), [1.0, 0.0])
    # The target is the first column: it tells which points these are, each once.
    both = np.concatenate([data.y_train, data.y_test])[:, 0]
    assert np.allclose(np.sort(both), np.sort(numbers[:, 0]))
    slope = np.polyfit(data.x_test[:, 0], data.y_test[:, 0], 1)
    assert np.allclose(slope, [data.y_train.std(), data.y_train.mean()])
    more = dataset(resolved(**as_they_are, n_train=10, n_test=20))
    assert np.array_equal(more.y_test, data.y_test)


def test_images_get_their_channels_first_and_the_norm_of_other_images(own_folder):
    x = RNG.integers(0, 256, (40, 4, 5, 3), dtype=np.uint8)
    y = np.arange(40) % 4
    parts = {"x_train": x[:30], "y_train": y[:30], "x_test": x[30:], "y_test": y[30:]}
    np.savez(own_folder / "i.npz", allow_pickle=False, **parts)
    values = resolved(data_file="i.npz", loss="cross_entropy", n_train=30)
    assert values["data_shape"] == "3x4x5" and values["data_classes"] == 4
    data = dataset(values)
    assert data.x_train.shape == (30, 60) and data.x_test.shape == (10, 60)
    assert np.allclose(np.linalg.norm(data.x_train, axis=1), 60**0.5)
    flat = x[:30].transpose(0, 3, 1, 2).reshape(30, 60).astype(float)
    flat -= flat.mean(0)
    flat *= (60 / (flat**2).sum(1, keepdims=True)) ** 0.5
    order = [int(np.abs(flat - row).sum(1).argmin()) for row in data.x_train]
    assert np.allclose(flat[order], data.x_train)
    assert np.array_equal(data.y_train.argmax(1), y[:30][order])


def test_images_may_come_without_or_with_leading_channels():
    for shape, found in (((9, 4, 5), (1, 4, 5)), ((9, 3, 4, 5), (3, 4, 5)), ((9,), (1,))):
        x, _ = points.checked(np.zeros(shape), np.zeros(9), "f")
        assert x.shape[1:] == found


@pytest.mark.parametrize(
    ("text", "classes"),
    [("1,0\n2,1\n3,0\n", 2), ("1,-1\n2,1\n", 2), ("1,0\n2,1\n3,2\n", 3), ("1,1\n2,2\n", 0)],
)
def test_whole_numbers_from_zero_and_signs_are_classes(text, classes, own_folder):
    found = own.parse(text.encode(), "f.csv")
    assert found.classes == classes
    if classes:
        assert own.class_indices(found.train[1]).min() == 0


@pytest.mark.parametrize(
    "text", ["1;2;0.5\n3;4;0.25\n", "\ufeffa\tb\tc\n1\t2\t.5\n3\t4\t.25", "1,2,.5\r\n\r\n3,4,.25"]
)
def test_tables_come_with_several_separators_with_or_without_names(text):
    x, y = own.parse(text.encode(), "f.csv").train
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]] and y.tolist() == [0.5, 0.25]


def made_up(head: str, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return an npz whose array x begins with this head."""
    text = head.encode().ljust(118) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("x.npy", array)
        archive.writestr("y.npy", array)
    return stream.getvalue()


def wrong_files():
    yield "a.csv", b"", "no rows of at least two numbers"
    yield "a.csv", b"1\n2\n", "no rows of at least two numbers"
    yield "a.csv", b"a,b\n1,2\n3,x\n", "row 3 of .* holds 'x', no finite number"
    yield "a.csv", b"1,2\n3,nan\n", "row 2 of .* holds 'nan'"
    yield "a.csv", b"1,2\n3,\n", "row 2 of .* holds an empty cell"
    yield "a.csv", b"1,2\n3,4,5\n", "row 2 of .* has 3 columns and the first has 2"
    yield "a.csv", b"\xff\xfe1,2", "not text in UTF-8"
    yield "a.csv", b'1,"' + b"2" * 200_000 + b'"\n', "not a table of numbers"
    yield "a.csv", b"5.1,NA\n1,2\n3,1\n", "row 1 of .* holds 'NA', no finite number"
    yield "a.csv", b"1,2\n\x1b[2J,3\n", r"holds '\\x1b.2J', no finite number"
    yield "a.csv", b"1,1e308\n2,1\n", "numbers above 1e\\+100"
    yield "a.npz", b"\x80\x04.", "damaged or not whole"
    for head in (
        "{'descr': (",
        "{[]: 1}",
        "{'descr': ',,', 'fortran_order': False, 'shape': (3,)}",
    ):
        yield "a.npz", made_up(head), "is not an array of numpy|damaged or not whole"
    for shape in ("(True,)", "(99999999999999999999, 0)"):
        head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}"
        yield "a.npz", made_up(head), "is not an array of numpy|damaged or not whole"
    packed = made_up("{}", zipfile.ZIP_LZMA)
    yield "a.npz", packed[:60] + b"\xff" * 9 + packed[69:], "damaged or not whole|not an array"


@pytest.mark.parametrize(("name", "data", "said"), list(wrong_files()))
def test_a_wrong_file_is_refused_by_name_with_what_to_do(name, data, said, own_folder):
    (own_folder / name).write_bytes(data)
    with pytest.raises(ConfigError, match=said) as error:
        resolved(data_file=name)
    text = str(error.value)
    assert str(own_folder / name) in text and "correct the file" in text and "\n" not in text


def wrong_arrays():
    x, y = np.zeros((6, 2)), np.zeros(6)
    whole = {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
    yield {"z": x}, "has no array x"
    yield {"x_train": x, "y_train": y}, "has no array x_test"
    yield {"x": x, "y": y[:5]}, "one target to each point"
    yield {"x": x[:0], "y": y[:0]}, "one target to each point"
    yield {"x": np.zeros((6, 2, 2, 2, 2)), "y": y}, "one target to each point"
    yield {"x": np.zeros((6, 2, 2, 2)), "y": y}, "without 1 or 3 channels"
    yield {"x": np.zeros((6, 0)), "y": y}, "points without a number"
    yield {"x": np.full((6, 2), np.nan), "y": y}, "NaN or ∞"
    yield {"x": np.full((6, 2), 1e200), "y": y}, "whose squares are too large"
    yield {"x": x, "y": np.full(6, np.inf)}, "NaN or ∞"
    yield {"x": x.astype(complex), "y": y}, "no real numbers"
    yield {"x": np.array([["a", "b"]] * 6), "y": y}, "no real numbers"
    yield {"x": np.zeros((2, own.MOST_NUMBERS + 1), np.uint8), "y": y[:2]}, "at most"
    yield whole | {"x_test": np.zeros((6, 3))}, "differ in shape"


@pytest.mark.parametrize(("arrays", "said"), list(wrong_arrays()))
def test_wrong_arrays_are_refused_with_what_to_do(arrays, said, own_folder):
    np.savez(own_folder / "a.npz", allow_pickle=False, **arrays)
    with pytest.raises(ConfigError, match=said) as error:
        resolved(data_file="a.npz")
    assert "correct the file" in str(error.value)


def test_a_member_without_npy_in_its_name_is_never_read(own_folder):
    np.savez(own_folder / "a.npz", x=np.ones((6, 2)), y=np.arange(6.0))
    with zipfile.ZipFile(own_folder / "a.npz", "a") as archive:
        archive.writestr("x", b"what np.load would read in place of x.npy")
    assert resolved(data_file="a.npz")["data_shape"] == "2"


def test_a_damaged_byte_anywhere_is_a_sentence_or_does_no_harm(own_folder):
    np.savez_compressed(own_folder / "a.npz", x=np.ones((6, 2)), y=np.arange(6.0))
    whole = (own_folder / "a.npz").read_bytes()
    for place in range(0, len(whole), 3):
        bad = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        try:
            own.parse(bad, "a.npz")
        except DataError as error:
            assert "correct the file" in str(error)


def test_a_table_of_too_many_rows_is_refused_before_it_is_read(own_folder, monkeypatch):
    monkeypatch.setattr(own, "MOST_ROWS", 10)
    (own_folder / "a.csv").write_text("1,2\n" * 12)
    with pytest.raises(ConfigError, match="more than the 10 rows"):
        resolved(data_file="a.csv")


def test_a_file_that_is_too_large_is_not_read(own_folder, monkeypatch):
    monkeypatch.setattr(own, "LARGEST_FILE", 2**20)
    (own_folder / "a.csv").write_bytes(bytes(2**20 + 1))
    with pytest.raises(ConfigError, match="more than the 1 MB"):
        resolved(data_file="a.csv")


def test_more_test_points_than_there_are_is_refused(own_folder):
    x, y = np.zeros((6, 2)), np.linspace(0.1, 1.0, 6)
    parts = {"x_train": x, "y_train": y, "x_test": x[:3], "y_test": y[:3]}
    np.savez(own_folder / "a.npz", allow_pickle=False, **parts)
    assert resolved(data_file="a.npz")["n_test"] == 3
    with pytest.raises(ConfigError, match="give at most 3"):
        resolved(data_file="a.npz", n_test=4)


def test_rows_of_numbers_are_no_images():
    with pytest.raises(ConfigError, match="rows of numbers, not images"):
        resolved(model="cnn")


CIFAR = Path(__file__).parents[2] / "shared" / "data" / "cifar10_2600_1000.npz"


@pytest.mark.skipif(not CIFAR.exists(), reason="the small CIFAR-10 file is not on this machine")
def test_real_photographs_are_read_as_data_of_ones_own(own_folder):
    shutil.copy(CIFAR, own_folder / "cifar.npz")
    values = resolved(data_file="cifar.npz", n_train=50, n_test=20, loss="cross_entropy")
    assert values["data_shape"] == "3x32x32" and values["data_classes"] == 10
    data = dataset(values)
    assert data.x_train.shape == (50, 3072) and data.y_test.shape == (20, 10)
    raw = np.load(CIFAR, allow_pickle=False)["x_train"].astype(float)
    order = Streams.from_seed(values["data_seed"]).train.permutation(len(raw))[:50]
    flat = raw[order].transpose(0, 3, 1, 2).reshape(50, 3072)
    flat -= flat.mean(0)
    assert np.allclose(data.x_train, flat * (3072 / (flat**2).sum(1, keepdims=True)) ** 0.5)
