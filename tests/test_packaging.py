"""What goes into the wheel, what it needs, and how an installed copy finds its way."""

import os
import re
import site
import socket
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from test_architecture import ROOT, imports, sources

import lazycore
from lazycore.cli import app, main
from lazycore.errors import ExtraMissing, LazyLabError
from lazycore.figures import export
from lazycore.machine import extras, places, processes
from lazycore.service import database

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CORE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
OURS = {"lazycore", "pages"}
BESIDE = {"sqlalchemy": "dbos", "starlette": "streamlit"}
"""What is imported as a part of something else that is asked for."""


def requirements(lines: list[str]) -> dict[str, Requirement]:
    """Return the requirements of these lines by name, without our own extras."""
    found = {Requirement(line).name: Requirement(line) for line in lines}
    return {name: one for name, one in found.items() if name != "lazylab"}


def pins(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return requirements([line for line in lines if line and not line.startswith("#")])


# ── what is needed ───────────────────────────────────────────────────────────────────────
def test_the_requirements_pin_what_the_project_asks_for_and_nothing_else():
    asked = requirements([*CORE, *EXTRAS["app"], *EXTRAS["lab"]])
    pinned = pins("requirements.txt")
    assert pinned.keys() == asked.keys()
    for name, one in pinned.items():
        (version,) = one.specifier
        assert version.operator == "==" and asked[name].extras == one.extras
        assert asked[name].specifier.contains(version.version), name
        lowest = [s.version for s in asked[name].specifier if s.operator in (">=", "==")]
        assert version.version.startswith(lowest[0]), f"{name} is not tested from {lowest[0]} on"


def test_the_tool_that_builds_is_among_what_make_setup_installs():
    (asked,) = map(Requirement, PROJECT["build-system"]["requires"])
    assert str(asked) == str(pins("requirements-dev.txt")[asked.name])


def test_the_library_imports_what_it_asks_for_and_the_extra_what_the_dashboard_adds():
    distributions = packages_distributions() | {"platformdirs": ["platformdirs"]}

    def needed(paths: list[Path]) -> set[str]:
        tops = {name.split(".")[0] for path in paths for name in imports(path)}
        tops = {BESIDE.get(top, top) for top in tops - OURS - set(sys.stdlib_module_names)}
        return {distributions[top][0].lower() for top in tops if top in distributions}

    service = [*sources("lazycore/service", "pages"), ROOT / "app.py"]
    library = [path for path in sources("lazycore") if path not in service]
    core, app_extra = set(requirements(CORE)), set(requirements(EXTRAS["app"]))
    reads_through_pandas, only_to_plot = {"pyarrow"}, {"plotly"}
    assert (needed(library) | reads_through_pandas) - only_to_plot == core
    assert needed(service) - core == app_extra - {"plotly"}, "plotly gives its script alone"


def test_the_extra_of_a_lab_is_the_dashboard_and_the_driver_of_its_database():
    names = {Requirement(line).name for line in EXTRAS["lab"]}
    assert names == {"lazylab", "psycopg"} and "lazylab[app]" in EXTRAS["lab"]


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("streamlit", "dbos", "plotly", "psutil", "sqlalchemy")))
import lazycore, torch
from lazycore.cli import main
config = lazycore.RunConfig(task="sine", dynamics="gd", steps=3, width=4, n_train=4, n_test=0)
lazycore.run(config).save("run.npz")
assert lazycore.RunResult.load("run.npz").status == "done"
table = lazycore.sweep(lazycore.SweepConfig(base=config, axes={"alpha": (1.0, 10.0)}))
assert table.total == 2
x = torch.ones(3, 2)
assert lazycore.compare(torch.nn.Linear(2, 1), x, x[:, 0], steps=2).status == "done"
sys.exit(main(["run", "--config", sys.argv[1], "--out", "again.npz"]))
"""


def test_the_library_runs_where_streamlit_dbos_and_plotly_are_not(tmp_path):
    fields = '{"task": "sine", "dynamics": "gd", "steps": 3, "width": 4, "n_train": 4, "n_test": 0}'
    (tmp_path / "fields.json").write_text(fields)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "fields.json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "LAZYLAB_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.npz").exists()


@pytest.fixture
def without_the_extra(monkeypatch):
    """As where the library alone is installed."""
    for name in ("streamlit", "dbos", "plotly", "psutil"):
        monkeypatch.setitem(sys.modules, name, None)


def test_what_needs_the_extra_says_so_in_one_sentence(without_the_extra, capsys, tmp_path):
    for ask in (export.plotly_script, lambda: database.prepare_database(tmp_path)):
        with pytest.raises(ExtraMissing, match=r'installed: pip install "lazylab\[app\]"\.$'):
            ask()
    for command, names in (
        (["app"], "the dashboard needs streamlit, dbos, plotly, psutil, which are not"),
        (["worker"], "a worker needs dbos, psutil, which are not"),
        (["jobs"], "the queue needs dbos, which is not"),
    ):
        assert main(command) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith(f"lazycore: {names} installed: pip ")
        assert said.err.count("\n") == 1
    assert issubclass(ExtraMissing, ImportError), "for whoever goes on without it"


def test_nothing_is_said_where_all_is_there():
    extras.need("this", "json", "numpy")


# ── what goes in ─────────────────────────────────────────────────────────────────────────
def test_the_wheel_holds_every_file_and_puts_no_pages_beside_other_packages():
    builder = WheelBuilder(str(ROOT))
    found = {file.distribution_path for file in builder.recurse_included_files()}
    forced = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    found |= set(forced.values())
    assert {path.split("/")[0] for path in found} == {"lazycore", "lazylab_app"}
    for folder, inside in (("lazycore", ""), ("pages", "lazylab_app/"), ("cache", "lazylab_app/")):
        listed = subprocess.check_output(["git", "ls-files", folder], cwd=ROOT, text=True)
        wanted = {inside + path for path in listed.splitlines() if (ROOT / path).exists()}
        assert wanted - found <= {"lazylab_app/cache/README.md"}
    others = {path for path in found if path.startswith("lazylab_app/")}
    others = {path for path in others if path.split("/")[1] not in ("pages", "cache")}
    assert others == {"lazylab_app/app.py", "lazylab_app/.streamlit/config.toml"}


# ── its name and its version ─────────────────────────────────────────────────────────────
def test_the_version_is_said_in_one_place_and_read_without_anything_heavy(capsys):
    script = "import sys, lazycore; print(lazycore.__version__); sys.exit('numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (said.returncode, said.stdout.strip()) == (0, lazycore.__version__)
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "lazycore/__init__.py"
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"lazylab {lazycore.__version__}\n"


def test_it_goes_by_the_name_by_which_it_was_called(capsys, monkeypatch):
    module, _, function = PROJECT["project"]["scripts"]["lazylab"].partition(":")
    assert module == "lazycore.__main__"
    start = getattr(__import__(module, fromlist=[function]), function)
    monkeypatch.setattr("sys.argv", ["lazylab", "run", "--alpa", "3"])
    monkeypatch.setattr("lazycore.__main__.become_program", lambda: None)
    assert start() == 2
    assert capsys.readouterr().err == (
        "lazylab: there is no option --alpa. Did you mean --alpha? (see lazylab run --help)\n"
    )


# ── where an installed copy writes, and how its processes find it ────────────────────────
def test_an_installed_copy_writes_to_the_users_cache_and_the_variable_always_wins(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("LAZYLAB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert places.IS_CHECKOUT and places.default_root() == places.PROJECT / "cache"
    monkeypatch.setattr(places, "IS_CHECKOUT", False)
    assert places.default_root() == tmp_path / "lazylab" / "runs"
    monkeypatch.setenv("LAZYLAB_CACHE", "here")
    assert places.default_root() == Path("here")


def test_processes_of_an_installed_copy_are_not_told_where_it_is(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "mine")
    told = processes.environment()
    assert told["PYTHONPATH"] == f"{places.PROJECT}{os.pathsep}mine"
    assert told["PYTHONSAFEPATH"] == "1"
    for folder in (site.getsitepackages()[0], site.getusersitepackages()):
        monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
        monkeypatch.setattr(processes, "PROJECT", Path(folder).resolve())
        assert processes.environment()["PYTHONPATH"] == "mine"


# ── lazylab app ──────────────────────────────────────────────────────────────────────────
@pytest.fixture
def started(monkeypatch):
    """The commands that this process would have become."""
    found = []
    monkeypatch.setattr(os, "execve", lambda *given: found.append(given) or sys.exit(0))
    return found


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_app_becomes_the_server_of_the_pages(started):
    port = free_port()
    with pytest.raises(SystemExit):
        main(["app", "--port", port, "--host", "localhost"])
    ((program, command, environment),) = started
    assert program == command[0] == sys.executable
    assert command[1:] == ["-m", "streamlit", "run", str(ROOT / "app.py")] + [
        *("--server.address", "localhost", "--server.port", port)
    ]
    assert environment["PYTHONSAFEPATH"] == "1"


def test_app_listens_where_the_variable_says_as_make_app_does(started, monkeypatch):
    monkeypatch.setenv("LAZYLAB_PORT", free_port())
    with pytest.raises(SystemExit):
        main(["app"])
    assert started[0][1][-3:] == ["127.0.0.1", "--server.port", os.environ["LAZYLAB_PORT"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], r"port=0 is not allowed: give a whole number from 1 to 65535\."),
        (["--port", "65536"], "port=65536 is not allowed: "),
        (["--port", "-1"], "port=-1 is not allowed: "),
        (["--port", "²"], "port=² is not allowed: "),
        (["--host", "no.such.invalid"], "host=no.such.invalid is not allowed: give an address"),
        (["--host", "a" * 70], "host=a+.* is not allowed: give an address of this machine"),
        (["--host", "192.0.2.7"], "host=192.0.2.7 is not allowed: give an address of this machine"),
        (["--prt", "1"], "there is no option --prt. Did you mean --port?"),
    ],
)
def test_a_wrong_call_of_app_is_one_sentence(arguments, said, started, capsys):
    assert main(["app", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert re.match(f"lazycore: {said}", told.err) and not started


def test_a_port_that_cannot_be_had_is_said_before_a_server_starts(started, capsys, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["app", "--port", str(port)]) == 1
        said = f"lazycore: port {port} is taken: give another one with --port.\n"
        assert capsys.readouterr().err == said

    def refuse(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(LazyLabError, match=r"cannot listen on port 80 of 127.0.0.1: Permission de"):
        app._check_address("127.0.0.1", 80)
    assert not started


def test_a_copy_without_its_pages_says_so(started, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(app, "SCRIPT", tmp_path / "app.py")
    assert main(["app"]) == 1
    assert "the dashboard is not here: there is no" in capsys.readouterr().err
    assert not started
