"""What the models that are functions of the weights alone share: they have no inputs x."""

from lazycore.config import spec
from lazycore.config.spec import Values
from lazycore.errors import ConfigError


def no_inputs(values: Values) -> None:
    """Raise `ConfigError` on a task whose targets depend on inputs, which h(w) does not read."""
    if spec.find("task", values["task"]).SPEC.facts["inputs"](values) > 0:
        raise ConfigError(
            f"task={values['task']} has inputs x, which model={values['model']} does not read: "
            "give task=vector or plane_target."
        )
