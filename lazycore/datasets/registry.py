"""The image sets that can be read: their files, checksums, licences and sources."""

from dataclasses import dataclass
from math import prod
from typing import Literal

from lazycore.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a set.

    name: as it is stored. url: where it is had. bytes: its size; for a `packed` one, which may
    lie there gzipped (`name.gz`) or not, that of the content; for an archive the most it may
    be. checksum: `sha256:…` or `md5:…` of the same bytes; empty where none is published.
    """

    name: str
    url: str = ""
    bytes: int = 0
    checksum: str = ""
    packed: bool = False

    @property
    def stored_as(self) -> str:
        """The name under which a download is kept."""
        return f"{self.name}.gz" if self.packed else self.name


@dataclass(frozen=True, kw_only=True)
class Part:
    """What `train` or `test` is: how many images, and the files that hold them (those of
    images and of labels for `idx`, the batches for `cifar`)."""

    count: int
    files: tuple[File, ...]


Form = Literal["idx", "cifar"]


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """A set of labelled images.

    name, title: for the command line and for sentences. folder: where torchvision puts it.
    shape: (channels, height, width) of an image. classes: how many; labels start at
    `first_label`. transposed: images lie there on their side. parts: by `train` and `test`.
    archive: the one file that all parts are in, under `members` (formatted with the file's
    name). npz: the name of a file of numpy arrays of the same content.
    also: further folders in which it is commonly found. refused: files that hold the same in a
    form that is never opened.
    """

    name: str
    title: str
    form: Form = "idx"
    folder: str
    shape: tuple[int, int, int]
    classes: int
    first_label: int = 0
    transposed: bool = False
    parts: dict[str, Part]
    archive: File | None = None
    members: str = "{}"
    npz: str = ""
    also: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    licence: str
    citation: str

    @property
    def files(self) -> tuple[File, ...]:
        """Every file that a download brings."""
        if self.archive:
            return (self.archive,)
        return tuple(file for part in self.parts.values() for file in part.files)

    @property
    def fetch(self) -> str:
        """The command that downloads it."""
        return f"python -m lazycore data fetch {self.name}"


def _idx(url: str, stem: str, count: int, kind: str, sha256: str = "") -> File:
    shape = (count, 28, 28) if kind == "images" else (count,)
    name = f"{stem}-{kind}-idx{len(shape)}-ubyte"
    return File(
        name=name,
        url=f"{url}{name}.gz" if url else "",
        bytes=4 + 4 * len(shape) + prod(shape),
        checksum=f"sha256:{sha256}" if sha256 else "",
        packed=True,
    )


def _mnist_parts(url: str, *sha256: str) -> dict[str, Part]:
    """Return both parts; checksums in the order train images, train labels, test …"""
    train, test = ("train", 60_000), ("t10k", 10_000)
    files = [
        _idx(url, stem, count, kind, digest)
        for ((stem, count), kind), digest in zip(
            [(part, kind) for part in (train, test) for kind in ("images", "labels")],
            sha256,
            strict=True,
        )
    ]
    return {
        "train": Part(count=60_000, files=tuple(files[:2])),
        "test": Part(count=10_000, files=tuple(files[2:])),
    }


MNIST = ImageSet(
    name="mnist",
    title="MNIST",
    folder="MNIST/raw",
    shape=(1, 28, 28),
    classes=10,
    parts=_mnist_parts(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    npz="mnist.npz",
    licence="none stated by its authors; Keras' documentation says CC BY-SA 3.0",
    citation="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits",
)
FASHION_MNIST = ImageSet(
    name="fashion_mnist",
    title="Fashion-MNIST",
    folder="FashionMNIST/raw",
    shape=(1, 28, 28),
    classes=10,
    parts=_mnist_parts(
        # Plain http: the checksum is what protects.
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    npz="fashion_mnist.npz",
    also=("/usr/share/datasets/fashion-mnist",),
    licence="MIT, © 2017 Zalando SE",
    citation="H. Xiao, K. Rasul, R. Vollgraf (2017), arXiv:1708.07747",
)

_EMNIST_ZIP = File(
    name="gzip.zip",
    url="https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
    bytes=600_000_000,
    checksum="md5:58c8d27c78d21e728a6bc7b3cc06412e",
)


def _emnist(split: str, train: int, test: int, classes: int, first_label: int) -> ImageSet:
    parts = {
        part: Part(
            count=count,
            files=tuple(
                _idx("", f"emnist-{split}-{part}", count, kind) for kind in ("images", "labels")
            ),
        )
        for part, count in (("train", train), ("test", test))
    }
    return ImageSet(
        name=f"emnist_{split}",
        title=f"EMNIST {split.capitalize()}",
        folder="EMNIST/raw",
        shape=(1, 28, 28),
        classes=classes,
        first_label=first_label,
        transposed=True,
        parts=parts,
        archive=_EMNIST_ZIP,
        members="gzip/{}.gz",
        licence="derived from NIST Special Database 19; terms not verified",
        citation="G. Cohen, S. Afshar, J. Tapson, A. van Schaik (2017), arXiv:1702.05373",
    )


def _cifar_batches(*names: str) -> Part:
    """Return a part of batches of 10,000 records: a label, then 3,072 values."""
    files = tuple(File(name=f"{name}.bin", bytes=10_000 * 3073) for name in names)
    return Part(count=10_000 * len(names), files=files)


CIFAR10 = ImageSet(
    name="cifar10",
    title="CIFAR-10",
    form="cifar",
    folder=".",
    shape=(3, 32, 32),
    classes=10,
    parts={
        "train": _cifar_batches(*(f"data_batch_{number}" for number in range(1, 6))),
        "test": _cifar_batches("test_batch"),
    },
    archive=File(
        name="cifar-10-binary.tar.gz",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        bytes=200_000_000,
        checksum="md5:c32a1d4ab5d03f1284b67883e8d87530",
    ),
    members="cifar-10-batches-bin/{}",
    refused=("cifar-10-python.tar.gz", "cifar-10-batches-py"),
    licence="none stated; drawn from Tiny Images",
    citation="A. Krizhevsky (2009): Learning multiple layers of features from tiny images",
)

SETS = {
    found.name: found
    for found in (
        MNIST,
        FASHION_MNIST,
        _emnist("digits", 240_000, 40_000, 10, 0),
        _emnist("letters", 124_800, 20_800, 26, 1),
        CIFAR10,
    )
}
"""The sets by name."""


def find(name: str) -> ImageSet:
    """Return the set of that name; `ConfigError` with those there are."""
    if name not in SETS:
        raise ConfigError(f"there is no data set {name[:40]!r}: give {', '.join(SETS)}.")
    return SETS[name]
