"""The quick sizes that ship, so that the Figures page opens with finished figures."""

from functools import partial

from lazycore.papers.reproduction import quick_jobs
from lazycore.papers.shelf import Shipment

SHIPS = (Shipment(name="figures", folder="figures", jobs=partial(quick_jobs, "lazy-training")),)
