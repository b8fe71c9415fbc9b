"""What some parts of the program need beside the library, and a sentence where it is missing."""

from importlib.util import find_spec

from lazycore.errors import ExtraMissing


def need(what: str, *packages: str) -> None:
    """Raise `ExtraMissing` unless all these packages of the extra `app` are installed.

    what: the part of the program that needs them, as the sentence names it: "the dashboard".
    None of them is imported here.
    """
    if missing := [name for name in packages if find_spec(name) is None]:
        is_one = len(missing) == 1
        raise ExtraMissing(
            f"{what} needs {' and '.join(missing)}, which {'is' if is_one else 'are'} not "
            'installed: pip install "lazylab[app]".'
        )
