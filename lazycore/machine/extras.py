"""What some parts of the program need beside the library, and a sentence where it is missing."""

from importlib.util import find_spec

from lazycore.errors import ExtraMissing


def need(what: str, *packages: str) -> None:
    """Raise `ExtraMissing` unless all these packages of the extra `app` are installed.

    what: the part of the program that needs them, as the sentence names it: "the dashboard".
    None of them is imported here.
    """
    if missing := [name for name in packages if find_spec(name) is None]:
        which = "which is" if len(missing) == 1 else "which are"
        raise ExtraMissing(
            f'{what} needs {", ".join(missing)}, {which} not installed: pip install "lazylab[app]".'
        )
