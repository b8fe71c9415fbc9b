"""Image sets of a few images in the forms of the real ones, and a server that offers them."""

import gzip
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from lazycore.datasets import registry
from lazycore.datasets.registry import File, ImageSet, Part

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (12, 4, 5), dtype=np.uint8)
Y = (np.arange(12) % 3).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    """Return IDX data, byte by byte from its definition."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


CONTENT = {
    "train-images": idx(X[:9]),
    "train-labels": idx(Y[:9]),
    "test-images": idx(X[9:]),
    "test-labels": idx(Y[9:]),
}


def mnist_like(url: str = "") -> ImageSet:
    """Return a set of four IDX files with checksums."""

    def file(name: str) -> File:
        data = CONTENT[name]
        checksum = "sha256:" + hashlib.sha256(data).hexdigest()
        return File(
            name=name, url=f"{url}/{name}.gz", bytes=len(data), checksum=checksum, packed=True
        )

    return ImageSet(
        name="tiny",
        title="Tiny",
        folder="Tiny/raw",
        shape=(1, 4, 5),
        classes=3,
        parts={
            "train": Part(count=9, files=(file("train-images"), file("train-labels"))),
            "test": Part(count=3, files=(file("test-images"), file("test-labels"))),
        },
        npz="tiny.npz",
        licence="none",
        citation="nobody",
    )


def write_idx(folder: Path, packed: bool = False) -> None:
    """Write the four files of `mnist_like`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in CONTENT.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / name).write_bytes(data)


def cifar_records(labels: list[int]) -> bytes:
    """Return records whose planes hold 10·label, 10·label + 1 and 10·label + 2."""
    planes = ([10 * label + plane] * 1024 for label in labels for plane in range(3))
    flat = [bytes(plane) for plane in planes]
    return b"".join(
        bytes([label]) + b"".join(flat[3 * i : 3 * i + 3]) for i, label in enumerate(labels)
    )


BATCH = cifar_records([0, 1, 1, 0])
TEST_BATCH = cifar_records([1, 0])


def tar(members: dict[str, bytes], link: str = "") -> bytes:
    """Return a gzipped tar of these members; `link` is one more, a symbolic link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            out.addfile(entry)
    return buffer.getvalue()


GOOD_TAR = tar({"bin/data_batch_1.bin": BATCH, "bin/test_batch.bin": TEST_BATCH})


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, data in members.items():
            out.writestr(name, data)
    return buffer.getvalue()


def cifar_like(archive: bytes = GOOD_TAR, url: str = "") -> ImageSet:
    """Return a set whose archive is known by the checksum of these bytes."""
    return ImageSet(
        name="tinycolour",
        title="Tiny colour",
        form="cifar",
        folder=".",
        shape=(3, 32, 32),
        classes=2,
        parts={
            "train": Part(count=4, files=(File(name="data_batch_1.bin", bytes=len(BATCH)),)),
            "test": Part(count=2, files=(File(name="test_batch.bin", bytes=len(TEST_BATCH)),)),
        },
        archive=File(
            name="tiny-binary.tar.gz",
            url=f"{url}/tiny-binary.tar.gz",
            bytes=10**6,
            checksum="md5:" + hashlib.md5(archive).hexdigest(),
        ),
        members="bin/{}",
        refused=("tiny-python.tar.gz", "tiny-batches-py"),
        licence="none",
        citation="nobody",
    )


ZIP_MEMBERS = {
    f"gzip/tiny-{part}-{kind}.gz": gzip.compress(data)
    for part, kind, data in (
        ("train", "images", idx(X[:9])),
        ("train", "labels", idx(Y[:9] + 1)),
        ("test", "images", idx(X[9:])),
        ("test", "labels", idx(Y[9:] + 1)),
    )
}


def emnist_like(archive: bytes) -> ImageSet:
    """Return a set of IDX files in one zip, on their side, with labels from 1."""

    def part(name: str, count: int) -> Part:
        sizes = {"images": 16 + count * 20, "labels": 8 + count}
        files = [
            File(name=f"tiny-{name}-{kind}", bytes=size, packed=True)
            for kind, size in sizes.items()
        ]
        return Part(count=count, files=tuple(files))

    return ImageSet(
        name="tinyletters",
        title="Tiny letters",
        folder="EMNIST/raw",
        shape=(1, 5, 4),
        classes=3,
        first_label=1,
        transposed=True,
        parts={"train": part("train", 9), "test": part("test", 3)},
        archive=File(
            name="tiny.zip", bytes=10**6, checksum="md5:" + hashlib.md5(archive).hexdigest()
        ),
        members="gzip/{}.gz",
        licence="none",
        citation="nobody",
    )


class Server:
    """What a server offers, how it misbehaves, and what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_after: int | None = None
        self.ranges = True
        self.asked: list[tuple[str, str | None]] = []
        self.address = ""


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server on the loopback that can go on in the middle of a file."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append((self.path, asked))
            data = state.files.get(self.path.lstrip("/"))
            if data is None:
                self.send_error(404)
                return
            start = int(asked.split("=")[1].rstrip("-")) if asked and state.ranges else 0
            if asked and state.ranges and start >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start : state.cut_after])

        def log_message(self, *_) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def made_up(name: str, part: str, data_dir=None) -> tuple[np.ndarray, np.ndarray]:
    """Return what `images.images` would, 600 images of noise, for sets that are not here."""
    found = registry.find(name)
    rng = np.random.default_rng(len(part))
    classes = np.arange(600) % found.classes
    return rng.integers(0, 256, (600, *found.shape), dtype=np.uint8), classes
