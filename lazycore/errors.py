"""The errors a person can meet, as one tree.

    LazyLabError            worded for the person at the dashboard and shown as it is
    ├── ConfigError         a field, file or argument that is wrong: the call must change
    ├── BudgetError         a run that would cost more than the budget allows
    ├── ResultNotFound      no stored result of that digest
    ├── CorruptResult       stored bytes that are not a whole, trusted result
    ├── DataError           a data file that is missing, damaged or not what it should be
    ├── StoreFull           the disk or the size limit refused a write
    └── JobError            the queue cannot do what was asked

Anything else is a bug and is shown with its type. Every message is one sentence that
names the value, what is allowed and, where there is one, the nearest cure.
"""


class LazyLabError(Exception):
    """Base of every error that is meant for the person using the program."""


class ConfigError(LazyLabError, ValueError):
    """A field, file or argument that is wrong."""


class BudgetError(LazyLabError):
    """A run whose estimated cost is above the budget."""


class ResultNotFound(LazyLabError, KeyError):
    """No result of that digest is stored."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class CorruptResult(LazyLabError):
    """Bytes that are not a whole, trusted result."""


class DataError(LazyLabError):
    """A data file that is missing, damaged or not what it should be."""


class StoreFull(LazyLabError):
    """The disk, or the store's own size limit, refused a write."""


class JobError(LazyLabError):
    """The queue cannot do what was asked of it."""
