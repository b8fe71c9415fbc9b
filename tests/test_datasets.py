"""Sets are found where they may lie, read as they are, and refused in a sentence when wrong."""

import fcntl
import gzip
import hashlib
import io
import itertools
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_sets

from lazycore.datasets import download, folders, idx, images, npz, registry
from lazycore.errors import ConfigError, DataError


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch) -> Path:
    """A data folder of the test's own, and a cache of the user's that is empty."""
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def know(monkeypatch):
    """A function that makes a set one of those there are."""

    def add(found: registry.ImageSet) -> registry.ImageSet:
        monkeypatch.setitem(registry.SETS, found.name, found)
        return found

    return add


def refusal(name: str, part: str = "train") -> str:
    """Return the sentence with which reading this set is refused."""
    with pytest.raises(DataError) as error:
        images.images(name, part)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and "fetch" in text
    return text


# ── where and in what form ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["Tiny/raw", "tiny", "."])
def test_idx_files_are_read_wherever_they_lie_packed_or_not(know, data_folder, place, packed):
    know(tiny_sets.mnist_like())
    tiny_sets.write_idx(data_folder / place, packed)
    x, y = images.images("tiny", "train")
    assert np.array_equal(x[:, 0], tiny_sets.X[:9]) and np.array_equal(y, tiny_sets.Y[:9])
    assert x.shape == (9, 1, 4, 5) and y.dtype == np.int64
    assert np.array_equal(images.images("tiny", "test")[0][:, 0], tiny_sets.X[9:])


def test_the_order_of_search_is_argument_variable_cache(know, data_folder, tmp_path):
    found = know(tiny_sets.mnist_like())
    order = [tmp_path / "given", data_folder, tmp_path / "cache" / "lazylab" / "data"]
    assert folders.roots(tmp_path / "given") == order
    for folder in reversed(order):
        tiny_sets.write_idx(folder / "Tiny/raw")
        paths = images.sources(found, "train", tmp_path / "given")
        assert all(path.is_relative_to(folder) for path in paths)


def test_without_a_variable_data_lie_in_the_cache_of_the_user():
    assert folders.user_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/lazylab/data")
    assert folders.user_folder({}) == Path.home() / ".cache/lazylab/data"
    assert folders.user_folder({"LAZYLAB_DATA": "~/d"}) == Path.home() / "d"


def test_an_npz_of_the_same_content_is_the_same_data(know, data_folder):
    know(tiny_sets.mnist_like())
    tables = {"x_train": tiny_sets.X[:9], "y_train": tiny_sets.Y[:9].astype(np.int64)}
    np.savez(data_folder / "tiny.npz", allow_pickle=False, **tables)
    x, y = images.images("tiny", "train")
    assert np.array_equal(x[:, 0], tiny_sets.X[:9]) and np.array_equal(y, tiny_sets.Y[:9])
    assert "no whole numbers named x_test" in refusal("tiny", "test")
    np.savez(
        data_folder / "tiny.npz", allow_pickle=False, **(tables | {"x_train": tiny_sets.X[1:10]})
    )
    assert "x_train in" in refusal("tiny") and "checksum" in refusal("tiny")


def test_colour_images_are_three_planes_of_each_record(know, data_folder):
    know(tiny_sets.cifar_like())
    (data_folder / "tiny-binary.tar.gz").write_bytes(tiny_sets.GOOD_TAR)
    x, y = images.images("tinycolour", "train")
    assert x.shape == (4, 3, 32, 32) and list(y) == [0, 1, 1, 0]
    for image, label in zip(x, y, strict=True):
        assert [set(plane.ravel()) for plane in image] == [{10 * label + p} for p in range(3)]


def test_letters_are_set_upright_and_count_from_zero(know, data_folder):
    archive = tiny_sets.zipped(tiny_sets.ZIP_MEMBERS)
    know(tiny_sets.emnist_like(archive))
    (data_folder / "EMNIST" / "raw").mkdir(parents=True)
    (data_folder / "EMNIST" / "raw" / "tiny.zip").write_bytes(archive)
    x, y = images.images("tinyletters", "train")
    assert np.array_equal(x[2, 0], tiny_sets.X[2].T) and np.array_equal(y, tiny_sets.Y[:9])


def test_loose_letters_without_a_checksum_are_counted(know, data_folder):
    know(tiny_sets.emnist_like(b""))
    labels = {"train-labels": tiny_sets.Y[:9] + 1, "test-labels": tiny_sets.Y[9:] + 1}
    arrays = {"train-images": tiny_sets.X[:9], "test-images": tiny_sets.X[9:]} | labels
    for name, array in arrays.items():
        (data_folder / f"tiny-{name}").write_bytes(tiny_sets.idx(array))
    assert images.images("tinyletters", "train")[0].shape == (9, 1, 5, 4)
    (data_folder / "tiny-train-labels").write_bytes(tiny_sets.idx(np.full(9, 1, np.uint8)))
    assert "as many images of each class" in refusal("tinyletters")
    (data_folder / "tiny-train-labels").write_bytes(tiny_sets.idx(np.full(9, 9, np.uint8)))
    assert "labels that Tiny letters does not have" in refusal("tinyletters")


def test_a_set_is_read_once_and_again_when_its_file_has_changed(know, data_folder):
    know(tiny_sets.mnist_like())
    tiny_sets.write_idx(data_folder)
    assert images.images("tiny", "train")[0] is images.images("tiny", "train")[0]
    (data_folder / "train-labels").write_bytes(tiny_sets.idx(np.zeros(9, np.uint8)))
    assert "train-labels" in refusal("tiny")


# ── what is wrong with a file ────────────────────────────────────────────────────────────
def test_missing_data_say_the_command_the_files_and_the_folder(know, data_folder):
    know(tiny_sets.mnist_like())
    text = refusal("tiny")
    assert "`python -m lazycore data fetch tiny`" in text and "train-images.gz" in text
    assert str(data_folder / "Tiny/raw") in text
    (data_folder / "train-images").write_bytes(tiny_sets.CONTENT["train-images"])
    assert "copy train-labels.gz to" in refusal("tiny")


def test_there_is_no_set_of_any_other_name():
    with pytest.raises(ConfigError, match="give mnist, fashion_mnist"):
        images.images("../etc", "train")


def wrong_files():
    """Name, bytes of train-images in it, and what the sentence says."""
    data = tiny_sets.CONTENT["train-images"]
    packed = gzip.compress(data)
    changed = bytearray(data)
    changed[40] ^= 1
    yield "truncated", "train-images", data[:-7], "not whole"
    yield "empty", "train-images", b"", "not whole"
    yield "too long", "train-images", data + b"x", "more than"
    yield "another content", "train-images", bytes(changed), "checksum"
    yield "truncated gzip", "train-images.gz", packed[:-9], "damaged or not whole"
    yield "no gzip", "train-images.gz", b"<html>not found</html>", "damaged or not whole"
    yield "flipped gzip", "train-images.gz", packed[:30] + b"\0\0" + packed[32:], "damaged"
    yield "bomb", "train-images.gz", gzip.compress(bytes(10**7)), "more than"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [w[1:] for w in wrong_files()],
    ids=[w[0] for w in wrong_files()],
)
def test_a_wrong_file_is_refused_by_name_with_what_to_do(know, data_folder, name, data, said):
    know(tiny_sets.mnist_like())
    tiny_sets.write_idx(data_folder)
    (data_folder / "train-images").unlink()
    (data_folder / name).write_bytes(data)
    text = refusal("tiny")
    assert said in text and str(data_folder / name) in text and "delete it and run" in text


def test_a_file_that_cannot_be_read_says_why(know, data_folder, monkeypatch):
    know(tiny_sets.mnist_like())
    tiny_sets.write_idx(data_folder)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    assert "Permission denied" in refusal("tiny")


def test_a_download_that_broke_off_is_never_read(know, data_folder):
    know(tiny_sets.mnist_like())
    tiny_sets.write_idx(data_folder)
    os.rename(data_folder / "train-images", data_folder / "train-images.gz.part")
    text = refusal("tiny")
    assert "train-images.gz.part is a download that broke off" in text


def test_the_pickled_version_is_refused_with_the_command_of_the_binary_one(know, data_folder):
    know(tiny_sets.cifar_like())
    for name in ("tiny-python.tar.gz", "tiny-batches-py"):
        (data_folder / name).write_bytes(b"\x80\x04.")
        text = refusal("tinycolour")
        assert str(data_folder / name) in text and "pickled Python, which is never opened" in text
        (data_folder / name).unlink()
    # Under the other's name it is not the file of that checksum.
    (data_folder / "tiny-binary.tar.gz").write_bytes(tiny_sets.tar({"py/data_batch_1": b"\x80"}))
    assert "checksum" in refusal("tinycolour")


def wrong_tars():
    good = {"bin/data_batch_1.bin": tiny_sets.BATCH}
    yield "slip", tiny_sets.tar({"../evil": b"x"} | good), "leads out of the archive"
    yield "root", tiny_sets.tar({"/etc/evil": b"x"} | good), "leads out of the archive"
    yield "link", tiny_sets.tar({}, link="bin/data_batch_1.bin"), "is no file of 12,292 bytes"
    yield "short", tiny_sets.tar({"bin/data_batch_1.bin": b"abc"}), "is no file of 12,292 bytes"
    yield "other", tiny_sets.tar({"bin/else.bin": tiny_sets.BATCH}), "it has no bin/data_batch_1"
    yield "cut", tiny_sets.GOOD_TAR[: len(tiny_sets.GOOD_TAR) // 2], "damaged or not whole"
    yield "no tar", gzip.compress(b"hello"), "damaged or not whole"


@pytest.mark.parametrize(
    ("data", "said"), [w[1:] for w in wrong_tars()], ids=[w[0] for w in wrong_tars()]
)
def test_a_wrong_tar_of_the_right_checksum_is_refused(know, data_folder, data, said):
    know(tiny_sets.cifar_like(data))
    (data_folder / "tiny-binary.tar.gz").write_bytes(data)
    text = refusal("tinycolour")
    assert said in text and str(data_folder / "tiny-binary.tar.gz") in text
    assert not list(data_folder.parent.rglob("evil"))


def wrong_zips():
    good = tiny_sets.ZIP_MEMBERS
    first = "gzip/tiny-train-images.gz"
    yield "slip", tiny_sets.zipped({"../../evil": b"x"} | good), "leads out of the archive"
    yield "windows", tiny_sets.zipped({"..\\evil": b"x"} | good), "leads out of the archive"
    yield "missing", tiny_sets.zipped({}), f"it has no {first}"
    yield "bomb", tiny_sets.zipped(good | {first: gzip.compress(bytes(10**7))}), "more than"
    yield "cut", tiny_sets.zipped(good)[:-30], "damaged or not whole"


@pytest.mark.parametrize(
    ("data", "said"), [w[1:] for w in wrong_zips()], ids=[w[0] for w in wrong_zips()]
)
def test_a_wrong_zip_of_the_right_checksum_is_refused(know, data_folder, data, said):
    know(tiny_sets.emnist_like(data))
    (data_folder / "tiny.zip").write_bytes(data)
    text = refusal("tinyletters")
    assert said in text and str(data_folder / "tiny.zip") in text
    assert not list(data_folder.parent.rglob("evil*"))


def test_an_archive_that_is_too_large_is_not_even_hashed(know, data_folder):
    found = know(tiny_sets.cifar_like())
    assert found.archive is not None
    know(replace(found, archive=replace(found.archive, bytes=10)))
    (data_folder / "tiny-binary.tar.gz").write_bytes(tiny_sets.GOOD_TAR)
    assert "more than tiny-binary.tar.gz can have" in refusal("tinycolour")


def test_idx_data_that_contradict_themselves_are_refused():
    good = tiny_sets.idx(tiny_sets.X)
    assert np.array_equal(idx.parse(good, "f", "c"), tiny_sets.X)
    assert idx.render(tiny_sets.X) == good
    for wrong in (b"", b"\0\0\x08", b"\0\0\x09" + good[3:], b"\0\0\x08\x07" + good[4:], good[:9]):
        with pytest.raises(DataError, match="f is not an IDX file"):
            idx.parse(wrong, "f", "do something")
    huge = b"\0\0\x08\x04" + b"\xff" * 16 + b"x"
    for wrong in (good[:-1], good + b"x", huge):
        with pytest.raises(DataError, match="does not hold the"):
            idx.parse(wrong, "f", "do something")


def npz_file(**members: bytes) -> io.BytesIO:
    """Return an npz file of these raw members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, data in members.items():
            out.writestr(f"{name}.npy", data)
    return buffer


def encrypted(file: io.BytesIO) -> io.BytesIO:
    """Return a zip whose members say that they are encrypted."""
    data = bytearray(file.getvalue())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return io.BytesIO(data)


def npy(head: str, data: bytes = b"") -> bytes:
    """Return an npy member with this head."""
    text = head.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


def test_an_npz_is_read_without_trust():
    huge = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,), }")
    objects = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\x80\x04N.")
    short = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", b"abc")
    wrong = [
        (npz_file(x=huge), "more than the"),
        (npz_file(x=objects), "Python objects"),
        (npz_file(x=short), "damaged or not whole"),
        (npz_file(x=b"abc"), "not an array of numpy"),
        (npz_file(x=npy("{'descr': 3}")), "not an array of numpy"),
        (npz_file(x=npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-9,), }")), "damaged"),
        (io.BytesIO(b"PK no zip"), "damaged or not whole"),
        (encrypted(npz_file(x=short)), "damaged or not whole .*encrypted"),
    ]
    for stream, said in wrong:
        with pytest.raises(DataError, match=said) as error:
            npz.read(stream, "mine.npz", ("x",), 10**6, "do something")
        assert "mine.npz" in str(error.value) and str(error.value).endswith("do something.")


# ── the registry ─────────────────────────────────────────────────────────────────────────
def test_every_set_of_the_registry_says_where_it_is_from_and_how_it_is_checked():
    for found in registry.SETS.values():
        assert found.licence and found.citation and found.title
        for file in found.files:
            assert file.url.startswith("http") and file.url.endswith(file.stored_as)
            kind, digest = file.checksum.split(":")
            assert len(digest) == {"md5": 32, "sha256": 64}[kind] and int(digest, 16)
    sizes = {file.name: file.bytes for file in registry.MNIST.files}
    assert sizes["train-images-idx3-ubyte"] == 47_040_016
    assert sizes["t10k-labels-idx1-ubyte"] == 10_008


# ── fetching ─────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def server():
    with tiny_sets.serving() as state:
        for name, data in tiny_sets.CONTENT.items():
            state.files[f"{name}.gz"] = gzip.compress(data)
        yield state


def test_a_set_is_fetched_checked_and_read(know, server, data_folder):
    found = know(tiny_sets.mnist_like(server.address))
    said = []
    paths = download.fetch(found, progress=lambda *step: said.append(step))
    assert [path.name for path in paths] == [file.stored_as for file in found.files]
    assert all(path.parent == data_folder / "Tiny/raw" for path in paths)
    assert images.images("tiny", "train")[0].shape == (9, 1, 4, 5)
    assert not list(data_folder.rglob("*.part"))
    for name, have, total in said:
        assert have == total == len(server.files[name])
    asked = len(server.asked)
    download.fetch(found)
    assert len(server.asked) == asked  # what is there is not fetched again


def test_a_wrong_file_is_replaced_and_a_folder_can_be_given(know, server, tmp_path):
    found = know(tiny_sets.mnist_like(server.address))
    folder = tmp_path / "elsewhere" / "Tiny" / "raw"
    folder.mkdir(parents=True)
    (folder / "train-images.gz").write_bytes(b"half of")
    download.fetch(found, tmp_path / "elsewhere")
    assert len(images.images("tiny", "train", tmp_path / "elsewhere")[0]) == 9


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_is_gone_on_with(know, server, data_folder, ranges):
    found = know(tiny_sets.mnist_like(server.address))
    server.cut_after, server.ranges = 20, ranges
    with pytest.raises(DataError, match="broke off after 20 of .* to go on"):
        download.fetch(found)
    part = data_folder / "Tiny/raw/train-images.gz.part"
    assert part.stat().st_size == 20 and not part.with_suffix("").exists()
    assert "broke off" in refusal("tiny")
    server.cut_after = None
    download.fetch(found)
    assert ("/train-images.gz", "bytes=20-") in server.asked
    assert len(images.images("tiny", "train")[0]) == 9


def test_two_downloads_of_one_file_do_not_mix(know, server, data_folder, monkeypatch):
    found = know(tiny_sets.mnist_like(server.address))
    (data_folder / "Tiny/raw").mkdir(parents=True)
    part = data_folder / "Tiny/raw/train-images.gz.part"
    with open(part, "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="by another process: wait for it"):
            download.fetch(found)
    # Opened here, then finished and renamed by the other before it could be locked.
    flock = fcntl.flock

    def late(file, how):
        os.rename(part, part.with_suffix(""))
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(DataError, match="by another process"):
        download.fetch(found)
    assert server.asked == []


def test_a_download_that_was_whole_but_not_renamed_is_taken(know, server, data_folder):
    found = know(tiny_sets.mnist_like(server.address))
    (data_folder / "Tiny/raw").mkdir(parents=True)
    part = data_folder / "Tiny/raw/train-images.gz.part"
    part.write_bytes(server.files["train-images.gz"])
    download.fetch(found)
    assert "/train-images.gz" not in [path for path, _ in server.asked]


def test_what_has_another_checksum_is_not_kept(know, server, data_folder):
    found = know(tiny_sets.mnist_like(server.address))
    other = tiny_sets.idx(tiny_sets.X[1:10])
    server.files["train-images.gz"] = gzip.compress(other)
    with pytest.raises(DataError, match="checksum"):
        download.fetch(found)
    assert not list((data_folder / "Tiny/raw").iterdir())
    # A longer part than the server has: it answers that nothing is missing.
    part = data_folder / "Tiny/raw/train-images.gz.part"
    part.write_bytes(bytes(5000))
    server.files["train-images.gz"] = gzip.compress(tiny_sets.CONTENT["train-images"])
    with pytest.raises(DataError, match="run the same command again"):
        download.fetch(found)
    download.fetch(found)


def test_a_server_that_sends_too_much_or_nothing_is_given_up(know, server, data_folder):
    found = know(tiny_sets.mnist_like(server.address))
    server.files["train-images.gz"] = bytes(download.SLACK + 10**4)
    with pytest.raises(DataError, match="sends more than"):
        download.fetch(found)
    del server.files["train-images.gz"]
    with pytest.raises(DataError, match="404"):
        download.fetch(found)
    gone = know(tiny_sets.mnist_like("http://127.0.0.1:1"))
    with pytest.raises(DataError, match="cannot be had"):
        download.fetch(gone)
    assert not list(data_folder.rglob("*.part"))


def test_a_folder_that_cannot_be_made_is_said(know, server, tmp_path):
    found = know(tiny_sets.mnist_like(server.address))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="--data-dir"):
        download.fetch(found, tmp_path / "file")


def test_an_archive_is_fetched_by_its_own_checksum(know, server, data_folder):
    server.files["tiny-binary.tar.gz"] = tiny_sets.GOOD_TAR
    found = know(tiny_sets.cifar_like(url=server.address))
    [path] = download.fetch(found)
    assert hashlib.md5(path.read_bytes()).hexdigest() == found.files[0].checksum[4:]
    assert len(images.images("tinycolour", "test")[0]) == 2


def test_sets_with_equal_labels_take_turns():
    from lazycore.tasks import _images

    y = np.array([0] * 5 + [1] * 2 + [2] * 3)
    order = _images.in_turn(y, np.random.default_rng(1))
    assert list(y[order]) == [0, 1, 2, 0, 1, 2, 0, 2, 0, 0] and sorted(order) == list(range(10))
    even = np.repeat(np.arange(4), 6)
    both = [f(even, np.random.default_rng(2)) for f in (_images.in_turn, _images.interleave)]
    assert np.array_equal(*both)
    assert len(set(itertools.chain(order))) == 10
