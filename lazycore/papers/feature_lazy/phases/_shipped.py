"""The sweeps that ship, so that the Feature-or-lazy page opens with finished figures."""

from lazycore.papers.feature_lazy.phases import settings
from lazycore.papers.shelf import Shipment

SHIPS = (Shipment(name="phases", folder="phases", jobs=settings.shipped),)
