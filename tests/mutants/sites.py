"""The places where a formula can be broken without anybody's help, found in the syntax tree."""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

SWAPS = {
    **{ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*")},
    **{ast.Pow: ("**", "*"), ast.Lt: ("<", ">="), ast.Gt: (">", "<="), ast.LtE: ("<=", ">")},
    **{ast.GtE: (">=", "<"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "==")},
    **{ast.And: ("and", "or"), ast.Or: ("or", "and")},
}
CALLS = {
    **{"max": "min", "amax": "amin", "fmax": "fmin", "maximum": "minimum", "argmax": "argmin"},
    **{"mean": "sum", "sum": "mean", "median": "mean", "sqrt": "abs", "square": "abs"},
    **{"log10": "log", "log1p": "log", "expm1": "exp", "any": "all"},
}
CALLS |= {name: other for other, name in CALLS.items() if other not in ("sum", "mean", "abs")}
NO_FORMULA = (ast.Raise, ast.Assert, ast.JoinedStr, ast.arg, ast.AnnAssign)
"""Statements and parts of them that are left alone: words, types, and what is refused."""


@dataclass(frozen=True)
class Mutant:
    """One change: of what is at `start` to `stop` (bytes) of the file at `path`, to `new`.

    function: in which. before, after: the lines that change, without their indentation.
    """

    path: str
    function: str
    start: int
    stop: int
    new: str
    before: str
    after: str

    @property
    def place(self) -> float:
        """Where it stands in the queue of a sample, 0 to 1: as good as drawn, yet a change
        elsewhere moves no other mutant into the sample or out of it."""
        said = "\n".join((self.path, self.function, self.before, self.after))
        return int(hashlib.sha256(said.encode()).hexdigest()[:12], 16) / 16.0**12

    def applied(self, source: bytes) -> bytes:
        """Return the source with the change."""
        return source[: self.start] + self.new.encode() + source[self.stop :]


def changed(path: str, source: bytes, function: str, start: int, stop: int, new: str) -> Mutant:
    """Return the mutant with this change, and with the lines that it changes."""
    head, tail = source.rfind(b"\n", 0, start) + 1, source.find(b"\n", stop)
    after = source[head:start] + new.encode() + source[stop:tail]
    lines = (" ".join(part.decode().split()) for part in (source[head:tail], after))
    return Mutant(path, function, start, stop, new, *lines)


def mutants(path: str, source: bytes) -> list[Mutant]:
    """Return all mutants of the functions in this file, each once.

    Operators, comparisons and functions are exchanged, factors left out, numbers doubled.
    """
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.AST) -> tuple[int, int]:
        first = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return first, starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    found = {}
    for name, node, parent in _nodes(ast.parse(source), ""):
        for start, stop, new in _changes(node, parent, source, span):
            mutant = changed(path, source, name, start, stop, new)
            found.setdefault((name, mutant.before, mutant.after), mutant)
    return list(found.values())


def _nodes(
    tree: ast.AST, function: str, inside: str = ""
) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Yield (function, node, its parent) of all nodes within functions."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, NO_FORMULA):
            continue
        name = inside
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            name = f"{inside}.{child.name}".strip(".")
        defined = isinstance(child, ast.FunctionDef) or bool(function)
        if defined and function:
            yield function, child, tree
        yield from _nodes(child, name if defined else "", name)


def _changes(node, parent, source, span) -> Iterator[tuple[int, int, str]]:
    match node:
        case ast.BinOp(left, op, right):
            yield from _swapped(op, span(left)[1], span(right)[0], source)
            if isinstance(op, ast.Mult | ast.Div):
                yield *span(node), f"({source[slice(*span(left))].decode()})"
            if isinstance(op, ast.Mult):
                yield *span(node), f"({source[slice(*span(right))].decode()})"
        case ast.Compare(left, [op], [right]):
            yield from _swapped(op, span(left)[1], span(right)[0], source)
        case ast.BoolOp(op, values):
            yield from _swapped(op, span(values[0])[1], span(values[1])[0], source)
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield span(node)[0], span(node)[0] + len("-"), ""
        case ast.UnaryOp(ast.Not()):
            yield span(node)[0], span(node)[0] + len("not"), ""
        case ast.Constant(float(value)):
            yield *span(node), repr(2.0 * value or 1.0)
        case ast.Constant(int(value)) if not isinstance(value, bool):
            if isinstance(parent, ast.BinOp | ast.Compare):
                yield *span(node), repr(2 * value or 1)
        case ast.Call(ast.Name(name) as called) if name in CALLS:
            yield *span(called), CALLS[name]
        case ast.Call(ast.Attribute(_, name) as called) if name in CALLS:
            stop = span(called)[1]
            yield stop - len(name), stop, CALLS[name]


def _swapped(op, start: int, stop: int, source: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield the other operator in place of this one, which stands between these bytes."""
    if type(op) not in SWAPS:
        return
    old, new = SWAPS[type(op)]
    place = re.search(re.escape(old).encode(), source[start:stop])
    if place:
        yield start + place.start(), start + place.end(), new
