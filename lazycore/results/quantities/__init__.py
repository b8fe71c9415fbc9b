"""Every quantity of a run, declared once: schema, tables, choosers, axes and documents read it.

A file of this folder that holds `QUANTITIES` declares those of one subject; its first line says
which. One more quantity is one more entry, or one more file, and no list to edit: the record's
schema, the sweep's table, Compare, the axes of figures and `docs/quantities.md` learn of it here.
"""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from lazycore.results.quantities.declared import Number, Quantity, Record


def _subjects() -> tuple[ModuleType, ...]:
    folder = str(Path(__file__).parent)
    names = [f"{__package__}.{found.name}" for found in pkgutil.iter_modules([folder])]
    files = [file for file in map(importlib.import_module, names) if hasattr(file, "QUANTITIES")]
    return tuple(sorted(files, key=lambda file: file.PLACE))


SUBJECTS = _subjects()
"""The files that declare quantities, in their order."""
DECLARED: dict[str, Quantity] = {
    key: quantity for file in SUBJECTS for quantity in file.QUANTITIES for key in quantity.keys
}
"""Every quantity by each of its names in a record."""
ALL: tuple[Quantity, ...] = tuple(dict.fromkeys(DECLARED.values()))
"""Every quantity once, in the order of the subjects."""

_WRITTEN = """
    final_train_loss final_test_loss final_train_error final_test_error final_displacement
    linearized_final_train_loss linearized_final_test_loss linearized_final_train_error
    linearized_final_test_error linearized_final_displacement best_test_loss
    linearized_best_test_loss largest_gap final_gap final_test_gap relative_gap final_parameter_gap
    kernel_change alignment_change activation_stability kappa numerical_error lambda_max parameters
    horizon final_margin linearized_final_margin sign_agreement kernel_change_test alignment_gain
    stop_time half_time linearized_stop_time linearized_half_time scaled_half_time
    refreshed_final_train_loss refreshed_final_test_loss refreshed_final_train_error
    refreshed_final_test_error refreshed_final_displacement refreshed_final_gap updates
    refreshed_kernel_distance refreshed_stability
"""
"""The columns of tables that have been written, in their order; what is declared later follows."""

NUMBERS: dict[str, Number] = {
    number.name: number for quantity in ALL for number in quantity.columns()
}
"""Every number that a run comes to, by its name."""
QUANTITIES: dict[str, Number] = {
    name: NUMBERS[name]
    for name in dict.fromkeys([*_WRITTEN.split(), *NUMBERS])
    if NUMBERS[name].column
}
"""Those that a sweep's table holds, in the order of its columns."""


def measure(record: Record) -> dict[str, float]:
    """Return every number of a sweep's table for this run by name, NaN where it has none."""
    return {name: number.value(record) for name, number in QUANTITIES.items()}
