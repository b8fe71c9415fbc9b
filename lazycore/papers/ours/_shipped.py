"""What ships of our own: what the program opens with, and the presets of Explore."""

from lazycore.config.run import RunConfig
from lazycore.papers.ours import home, presets
from lazycore.papers.shelf import Shipment


def stripe() -> list[RunConfig]:
    """Return the preset that ships with its kernels."""
    return [RunConfig.from_dict(presets.STRIPE)]


def stories() -> list[RunConfig]:
    """Return the presets of Explore that ship nowhere else."""
    elsewhere = {job.digest for job in (*home.jobs(), *stripe())}
    return [config for config in presets.configs() if config.digest not in elsewhere]


SHIPS = (
    Shipment(name="home", folder="", jobs=home.jobs),
    Shipment(name="stripe", folder="kernels", jobs=stripe),
    Shipment(name="presets", folder="presets", jobs=stories),
)
