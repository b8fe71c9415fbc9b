"""From where on a run is lazy, rich, or has learned anything: thresholds of the verdict."""

LAZY_GAP = 0.05
"""Largest gap, as a share of the largest change of αh̄, below which a run can be lazy."""
LAZY_KERNEL_CHANGE = 0.1
"""Kernel change below which a run can be lazy."""
RICH_KERNEL_CHANGE = 1.0
"""Kernel change above which it is rich."""
LEARNED = 0.1
"""Share of its training loss that one of the models must lose: else nothing was learned."""
