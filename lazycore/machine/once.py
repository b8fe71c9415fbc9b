"""A property that is computed once, and that keeps nobody waiting meanwhile.

`functools.cached_property` of Python 3.11 has one lock for all instances of a class, held while one
of them computes: a session that waited for its table of 63 MB to be read held up every other that
made a config, for 9 s. Without a lock two threads that meet compute the same thing twice.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):
    """What the method returns, kept in the instance when it was first asked for."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "once[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        found = instance.__dict__[self._name] = self._make(instance)
        return found
