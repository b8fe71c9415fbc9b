"""Writes `run.pyi`: what editors and type checkers know of `RunConfig`, field by field.

    python -m lazycore.config.stub          write it
    python -m lazycore.config.stub --check  say whether it is as it would be written

The rest of `run.py` stands in it as signatures with their docstrings. A test holds it fresh.
"""

import ast
import sys
from pathlib import Path

from lazycore.config import described
from lazycore.config.spec import Field

SOURCE = Path(__file__).with_name("run.py")
STUB = SOURCE.with_suffix(".pyi")
HEAD = '''"""Written by `python -m lazycore.config.stub`: change `run.py` or the fields instead."""
'''
IN_SIGNATURES = ("Mapping", "Any")
NEEDED = ("collections.abc", "typing", "lazycore.config.known", "lazycore.config.resolved")


def text() -> str:
    """Return the stub as it is to be."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    parts = [HEAD, *_imports(tree)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            parts += ["", _class(node)]
        elif isinstance(node, ast.FunctionDef) and node.name[0] != "_":
            parts += ["", _function(node, "")]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            name, kind = ast.unparse(node.targets[0]), type(node.value.value).__name__
            parts += ["", f"{name}: {kind}"]
    return "\n".join(parts) + "\n"


def _imports(tree: ast.Module) -> list[str]:
    """Return what the stub needs of the imports, a blank line before those of the house."""
    nodes = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module in NEEDED]
    for node in nodes:  # what is used in bodies alone stays out
        node.names = [one for one in node.names if one.asname or one.name in IN_SIGNATURES]
    lines = [ast.unparse(node) for node in nodes if node.names]
    lines = [line.replace("import Any", "import Any, ClassVar") for line in lines]
    first = next(i for i, line in enumerate(lines) if line.startswith("from lazycore"))
    return [*lines[:first], "", *lines[first:]]


def _class(node: ast.ClassDef) -> str:
    fields = [field for group in described.grouped().values() for field in group]
    doc = (ast.get_docstring(node) or "").splitlines()[0]
    lines = [f"class {node.name}:", f'    """{doc}"""', ""]
    # Not by its decorator: completion (jedi) would then look at no `__init__`.
    lines += ["    __dataclass_fields__: ClassVar[dict[str, Any]]"]
    for field in fields:
        lines += [f"    {field.name}: {_kind(field)}", f'    """{described.told(field)}"""']
    lines += ["    extra: tuple[tuple[str, Any], ...]", "", "    def __init__(", "        self,"]
    lines += ["        /,", "        *,"]
    lines += [f"        {field.name}: {_kind(field)} = None," for field in fields]
    lines += ["        extra: tuple[tuple[str, Any], ...] = (),", "    ) -> None: ..."]
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and (
            part.name[0] != "_" or part.name == "_repr_html_"
        ):
            lines.append(_function(part, "    "))
    return "\n".join(lines)


def _function(node: ast.FunctionDef, indent: str) -> str:
    head = [f"{indent}@{ast.unparse(one)}" for one in node.decorator_list]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    head.append(f"{indent}def {node.name}({ast.unparse(node.args)}){returns}:".replace("'", '"'))
    head[-1] = head[-1].replace('"RunConfig"', "RunConfig")
    doc = ast.get_docstring(node, clean=False)
    if doc is None:
        return "\n".join([*head[:-1], f"{head[-1]} ..."])
    return "\n".join([*head, f'{indent}    """{doc}"""'])


def _kind(field: Field) -> str:
    return f"{field.kind.__name__} | None"


def main(arguments: list[str]) -> int:
    """Write the stub, or check it; return the exit status."""
    found = text()
    if "--check" not in arguments:
        STUB.write_text(found, encoding="utf-8")
        return 0
    is_fresh = STUB.exists() and STUB.read_text(encoding="utf-8") == found
    if not is_fresh:
        sys.stderr.write(f"{STUB.name} is stale: run python -m lazycore.config.stub.\n")
    return 0 if is_fresh else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
