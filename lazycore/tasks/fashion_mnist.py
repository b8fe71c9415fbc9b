"""Real pictures of clothes, 28 × 28: the part of Fashion-MNIST that ships with us."""

from lazycore.fields import LABEL_NOISE, LABELS, N_TEST, N_TRAIN
from lazycore.spec import Spec, Values
from lazycore.tasks import Sample, Streams, _images


def _check(values: Values) -> None:
    _images.at_most(values, 2000, 1000, "2,000 training and 1,000 test images ship")


SPEC = Spec(
    name="fashion_mnist",
    meaning="28 × 28 images of clothes (Xiao et al. 2017, arXiv:1708.07747)",
    reads=(N_TRAIN, N_TEST, LABELS, LABEL_NOISE),
    check=_check,
    facts={"inputs": lambda values: 784, "classes": _images.classes},
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return balanced images of the official training and test files, classes interleaved."""
    file = _images.read("fashion_mnist_2000_1000.npz")

    def draw(part: str, n: int) -> tuple:
        digit = file[f"y_{part}"].astype(int)
        index = _images.interleave(digit, streams.train if part == "train" else streams.test)[:n]
        return file[f"x_{part}"][index], digit[index]

    return _images.assemble(
        values, draw("train", values["n_train"]), draw("test", values["n_test"])
    )
