"""What Figures 3(a), 7(a) and 7(b) share: a small network on small images, in place of VGG-11.

The paper's own need CIFAR-10 and a GPU: 153 million multiply-adds for one image and pass, 70
epochs of 50,000 images, three passes for a step of the network and about as many again twice
for its linearisation, at each of eight α: some 10^16 operations an α.
"""

from collections.abc import Sequence
from functools import partial

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.reproduction import QUICK, Curve, Found, Job, Setting, Size
from lazycore.papers.tables import line

ALPHAS = (1.0, 10.0, 1e3, 1e7)
EPOCHS = 20
BATCH = 128
DIGITS_STEP = 0.07
"""η₀ of the calibration, 0.3, in our units: its pixels went from 0 to 1, so that ‖x‖²/d was 0.235
on average and is 1 here; the kernel grows with that."""
IMAGES, NEW_IMAGES = 1400, 340
CAVEAT = (
    "The computed lines are another problem: a small network (16, 32 and 64 channels) on 8 × 8 "
    "digits, 20 epochs, float64. They show the same things at a size that a CPU can take and are "
    "not to coincide with the reported ones. The paper's own size, VGG-11 on CIFAR-10 for 70 "
    "epochs at eight α, needs a GPU: about 10¹⁶ operations an α, hours of one (estimated, not "
    "run here)."
)


def trained(task: str, n_train: int, n_test: int, alpha: float, step_size: float) -> RunConfig:
    """Return the run of check 15: 16, 32 and 64 channels, momentum 0.9, η = η₀/(1 + t/3)."""
    return RunConfig.from_dict(
        {
            "task": task,
            "labels": "ten",
            "n_train": n_train,
            "n_test": n_test,
            "model": "cnn",
            "alpha": alpha,
            "dynamics": "sgd",
            "step_size": step_size,
            "schedule": "inverse_time",
            "schedule_decay": 1.0 / 3.0,
            "momentum": 0.9,
            "batch_size": BATCH,
            "steps": EPOCHS * (n_train // BATCH),
        }
    )


def digits(alphas: Sequence[float] = ALPHAS) -> list[Job]:
    """Return the sweep over α of the small network on digits."""
    base = trained("digits", IMAGES, NEW_IMAGES, alphas[0], DIGITS_STEP)
    return [SweepConfig(base=base, axes={"alpha": tuple(alphas)})]


SETTINGS = (
    Setting(
        name="digits",
        differs="Handwritten digits (1,400 + 340 images) and a small convolutional network.",
        sizes={
            QUICK: Size(
                said="4 of the 8 output scales α, one seed: some two minutes.",
                make=partial(digits, ALPHAS),
            )
        },
    ),
)


def along_alpha(
    name: str, found: Sequence[Found], quantity: str, factor: float, plus: float = 0.0
) -> Curve:
    """Return `plus` + `factor` times a quantity over α."""
    return line(name, found, "alpha", quantity, factor).plus(plus)
