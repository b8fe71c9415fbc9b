"""What a file may do: torch stays out of the browser's process, and nothing is unpickled."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "lazycore"
LIGHT = ("errors", "theory", "config", "datasets", "tasks", "results", "papers.theorem")
LIGHT += (
    "papers.reproduction",
    "papers.feature_lazy.phases",
    "papers.shelf",
    "papers.ours.home",
)
LIGHT += ("papers.card", "figures")
"""Rooms and files that import no torch, not even through others."""


def sources(*parts: str) -> list[Path]:
    """Return the Python files of these folders of the repository."""
    return [p for part in parts for p in sorted((ROOT / part).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def outside(package: str, paths: list[Path]) -> set[str]:
    """Return the files among `paths` that import this package."""
    return {
        str(p.relative_to(ROOT))
        for p in paths
        if any(name == package or name.startswith(package + ".") for name in imports(p))
    }


def test_only_figures_import_plotly_only_jobs_dbos_and_only_the_store_diskcache():
    everything = [ROOT / "app.py", *sources("lazycore", "pages")]
    plotly = {p for p in outside("plotly", everything) if not p.startswith("lazycore/figures/")}
    assert plotly == {"lazycore/results/drawn.py"}  # for the name of a type alone, as below
    assert all(p.startswith("lazycore/service/") for p in outside("dbos", everything))
    assert outside("diskcache", everything) == {
        "lazycore/results/bytesdisk.py",
        "lazycore/results/fulldisk.py",
        "lazycore/results/store.py",
    }


def test_results_name_plotly_for_type_checkers_only():
    tree = ast.parse((LIBRARY / "results" / "drawn.py").read_text())
    hidden = [n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n)]
    for part in hidden:
        tree.body.remove(part)
    assert "plotly" not in ast.unparse(tree)


def test_the_library_knows_no_streamlit_and_the_pages_no_torch():
    assert outside("streamlit", sources("lazycore")) == set()
    assert outside("torch", [ROOT / "app.py", *sources("pages")]) == set()
    assert outside("pages", sources("lazycore")) == set()


def test_light_modules_import_no_torch_when_they_are_imported():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for part in LIGHT
        for place in [LIBRARY / part.replace(".", "/")]
        for path in ([*place.rglob("*.py")] if place.is_dir() else [place.with_suffix(".py")])
    ]
    code = f"import importlib, sys\n[importlib.import_module(n) for n in {names}]\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_no_library_module_that_a_page_imports_brings_torch_along():
    wanted = sorted(
        name
        for path in [ROOT / "app.py", *sources("pages")]
        for name in imports(path)
        if name.startswith("lazycore")
    )
    code = (
        "import importlib, sys\n"
        f"for name in {wanted}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        if not name.startswith(error.name or '?'): pass\n"
        "assert 'torch' not in sys.modules, 'torch'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_page_is_under_eighty_lines():
    for path in [ROOT / "app.py", *sorted((ROOT / "pages").glob("*/page.py"))]:
        assert len(path.read_text().splitlines()) < 80, path.name


def test_no_module_has_the_name_of_a_promised_function():
    modules = {p.stem for p in LIBRARY.iterdir()}
    assert not modules & {"run", "train", "sweep", "compare"}


def test_no_module_is_called_utils_and_none_is_too_long():
    for path in sources("lazycore", "pages"):
        assert path.stem not in ("utils", "common", "helpers")
        assert len(path.read_text().splitlines()) <= 300, path.name


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


PUTS_BACK = {"randomness.py"}
"""Files that start global generators from a seed, and put them back where they were: somebody's
module draws from no others."""


def wrongs(tree: ast.AST) -> list[str]:
    """Return what a file does that none may: unpickle, evaluate text, load trusting torch."""
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [f"imports {n}" for n in names if n.split(".")[0] in FORBIDDEN_MODULES]
        if not isinstance(node, ast.Call):
            continue
        call = node.func
        keywords = {k.arg: k.value for k in node.keywords}
        if isinstance(call, ast.Name) and call.id in FORBIDDEN_CALLS:
            found.append(f"calls {call.id}")
        if not isinstance(call, ast.Attribute) or not isinstance(call.value, ast.Name):
            continue
        owner = call.value.id
        if owner == "torch" and call.attr == "load":
            found.append("calls torch.load")
        if owner in ("np", "numpy") and call.attr in ("load", "savez", "savez_compressed", "save"):
            value = keywords.get("allow_pickle")
            if not (isinstance(value, ast.Constant) and value.value is False):
                found.append(f"calls np.{call.attr} without allow_pickle=False")
        if owner == "torch" and call.attr in ("manual_seed", "seed", "set_default_dtype"):
            found.append(f"calls torch.{call.attr}")
        if owner == "random" or (owner in ("np", "numpy") and call.attr == "seed"):
            found.append("uses a global generator")
    return found


def test_no_property_is_kept_behind_a_lock_that_all_instances_share():
    everything = [ROOT / "app.py", *sources("lazycore", "pages")]
    assert outside("functools.cached_property", everything) == set(), "use lazycore.machine.once"


@pytest.mark.parametrize(
    "path", [ROOT / "app.py", *sources("lazycore", "pages")], ids=lambda p: p.stem
)
def test_no_file_unpickles_evaluates_or_seeds_what_is_global(path):
    found = wrongs(ast.parse(path.read_text()))
    if path.name in PUTS_BACK:
        found = [
            w for w in found if w not in ("calls torch.manual_seed", "uses a global generator")
        ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "import torch\ntorch.load('x', weights_only=True)",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "eval('1')",
        "exec('1')",
        "import torch\ntorch.manual_seed(0)",
        "import numpy as np\nnp.random.seed\nrandom.random()",
    ],
)
def test_the_lint_above_sees_what_it_is_for(text):
    assert wrongs(ast.parse(text))


def test_broad_catches_are_few_and_named():
    """The broad catch exists where hostile bytes or any run can end, or where somebody's module
    is called, and says so."""
    allowed = {"npz.py", "store.py", "worker.py", "child.py", "children.py", "queue.py"}
    allowed |= {"foreign.py", "function.py"}
    for path in sources("lazycore"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                kind = getattr(node.type, "id", None)
                broad = node.type is None or kind in ("Exception", "BaseException")
                assert not broad or path.name in allowed, f"{path.name}:{node.lineno}"


def test_importing_a_module_has_no_effect_on_generators_or_files():
    code = (
        "import random, numpy as np\n"
        "before = random.getstate(), np.random.get_state()[1].tolist()\n"
        "import lazycore.running.run, lazycore.running.compare\n"
        "assert before == (random.getstate(), np.random.get_state()[1].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
