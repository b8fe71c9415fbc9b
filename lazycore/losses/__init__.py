"""What R averages: one file per loss, written with methods of the tensors it is handed.

Each file holds a `SPEC` and, for outputs f and targets y of shape (n, k),

    per_point(f, y) → ℓ(f_i, y_i), summed over outputs, shape (n,)
    gradient(f, y)  → ∂ℓ/∂f, shape (n, k)

so that R(f) = (1/n) Σ ℓ(f_i, y_i). Targets are real numbers, ±1, or one-hot rows. A loss that
reads fields takes them as a third argument, `values`.
"""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from lazycore.config import spec
from lazycore.config.spec import Spec, Values


@dataclass(frozen=True, eq=False)
class Chosen:
    """A loss that reads fields, with their values: it is used as one that reads none."""

    file: ModuleType
    values: Values
    SPEC: Spec

    def per_point(self, f: Any, y: Any) -> Any:
        """Return ℓ(f_i, y_i), (n,)."""
        return self.file.per_point(f, y, self.values)

    def gradient(self, f: Any, y: Any) -> Any:
        """Return ∂ℓ/∂f, (n, k)."""
        return self.file.gradient(f, y, self.values)


Loss = ModuleType | Chosen
"""What a problem is trained on; facts of its `SPEC` are numbers."""


def chosen(name: str, values: Values) -> Loss:
    """Return the loss of this name; fields that `values` lacks are at their defaults."""
    file = spec.find("loss", name)
    if not file.SPEC.reads:
        return file
    known = {field.name: field.default for field in file.SPEC.reads}
    known |= {key: values[key] for key in known if values.get(key) is not None}
    facts = spec.loss_facts(known | {"loss": name})
    return Chosen(file, known, replace(file.SPEC, facts=facts))
