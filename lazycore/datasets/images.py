"""One part of an image set as arrays, from whichever of its files is found first."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from lazycore.datasets import cifar, content, folders, idx, npz, registry
from lazycore.datasets.registry import ImageSet, Part
from lazycore.errors import DataError

Images = tuple[np.ndarray, np.ndarray]
"""Images (n, channels, height, width) of bytes, and their classes (n,) from 0."""


def images(name: str, part: str, data_dir: str | Path | None = None) -> Images:
    """Return the images and classes of `train` or `test` of a set, in the order of its files.

    The content is the same whatever file it is read from, because its checksum is (EMNIST,
    whose files have none once they are out of their archive: as many images of each class as
    there must be). Raises `DataError`, one sentence, for a file that is missing or wrong.

    Cost: the first time a checksum and unpacking, a second or two for the largest; then none.
    """
    found = registry.find(name)
    paths = sources(found, part, data_dir)
    stamps = tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    return _read(found.name, part, paths, stamps)


def is_here(found: ImageSet, part: str, data_dir: str | Path | None = None) -> bool:
    """Return whether there are files for this part, right or wrong."""
    return bool(_located(found, part, data_dir))


def sources(found: ImageSet, part: str, data_dir: str | Path | None = None) -> tuple[Path, ...]:
    """Return the files from which a part is read; `DataError` where there are none."""
    paths = _located(found, part, data_dir)
    if not paths:
        raise DataError(_missing(found, part, data_dir))
    return paths


def _located(found: ImageSet, part: str, data_dir: str | Path | None) -> tuple[Path, ...]:
    if found.form == "idx":
        loose = [folders.locate(found, file, data_dir) for file in found.parts[part].files]
        if all(loose):
            return tuple(path for path in loose if path)
    whole = [name for name in (found.archive.name if found.archive else "", found.npz) if name]
    paths = folders.places(found, whole, data_dir)
    return next(((path,) for path in paths if path.is_file()), ())


def _missing(found: ImageSet, part: str, data_dir: str | Path | None) -> str:
    for path in folders.places(found, found.refused, data_dir):
        if path.exists():
            return (
                f"{path} is pickled Python, which is never opened: get the binary version with "
                f"`{found.fetch}`."
            )
    halves = [file.stored_as + content.PART for file in found.files]
    for path in folders.places(found, halves, data_dir):
        if path.exists():
            return f"{path} is a download that broke off: go on with it by `{found.fetch}`."
    files = [
        file.stored_as
        for file in found.parts[part].files
        if folders.locate(found, file, data_dir) is None
    ]
    wanted = found.archive.name if found.archive else " and ".join(files)
    return (
        f"{found.title} is not on this machine: `{found.fetch}` downloads it, or copy {wanted} to "
        f"{folders.user_folder() / found.folder}."
    )


@lru_cache(maxsize=4)
def _read(name: str, part: str, paths: tuple[Path, ...], stamps: tuple) -> Images:
    """Return the part from these files; a changed file has another stamp and is read anew."""
    found = registry.SETS[name]
    wanted, cure = found.parts[part], f"delete it and run `{found.fetch}`"
    first, *others = paths
    if others:
        files = zip(paths, wanted.files, strict=True)
        data = [content.whole(path, file, cure) for path, file in files]
    elif found.archive and first.name == found.archive.name:
        data = _archived(found, wanted, first, cure)
    else:
        data = _from_npz(wanted, part, first, cure)
    where = str(first)
    if found.form == "cifar":
        pictures, labels = cifar.parse(data)
    else:
        pictures, labels = (idx.parse(one, where, cure) for one in data)
    classes = labels.astype(np.int64) - found.first_label
    _check(found, wanted, pictures, classes, where, cure)
    if found.transposed:
        pictures = pictures.transpose(0, 2, 1)
    return pictures.reshape(-1, *found.shape), classes


def _archived(found: ImageSet, part: Part, path: Path, cure: str) -> list[bytes]:
    assert found.archive is not None
    with content.archive(path, found.archive, cure) as stream:
        names = [found.members.format(file.name) for file in part.files]
        if path.name.endswith(".tar.gz"):
            sizes = [file.bytes for file in part.files]
            return content.tar_members(
                stream, list(zip(names, sizes, strict=True)), str(path), cure
            )
        return content.zip_members(
            stream, list(zip(names, part.files, strict=True)), str(path), cure
        )


def _from_npz(part: Part, name: str, path: Path, cure: str) -> list[bytes]:
    """Return the same bytes as the set's own files, written from the arrays of an npz file."""
    keys = (f"x_{name}", f"y_{name}")
    # Labels are often kept in eight bytes each.
    largest = 2 * sum(file.bytes for file in part.files) + 8 * part.count
    with content.reading(path, cure), open(path, "rb") as stream:
        found = npz.read(stream, str(path), keys, largest, cure)
    for key in keys:
        if key not in found or found[key].dtype.kind not in "ui":
            raise DataError(f"{path} holds no whole numbers named {key}; {cure}.")
    data = [idx.render(found[key]) for key in keys]
    pairs = zip(data, keys, part.files, strict=True)
    return [content.checked(one, f"{key} in {path}", file, cure) for one, key, file in pairs]


def _check(
    found: ImageSet, part: Part, pictures: np.ndarray, classes: np.ndarray, where: str, cure: str
) -> None:
    """Check what a checksum would, where there may be none: how many images there are of what."""
    if len(pictures) != part.count or len(classes) != part.count:
        raise DataError(
            f"{where} holds {len(pictures):,} images and {len(classes):,} labels, which should "
            f"both be {part.count:,}; {cure}."
        )
    counts = np.bincount(classes[classes >= 0], minlength=found.classes)
    if len(counts) > found.classes or (classes < 0).any():
        raise DataError(f"{where} holds labels that {found.title} does not have; {cure}.")
    if not found.files[0].packed and counts.min() != counts.max():
        raise DataError(
            f"{where} does not hold as many images of each class, as {found.title} does; {cure}."
        )
