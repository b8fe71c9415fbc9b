"""The wheel in an environment that has nothing but what the wheel says it needs.

Nothing is downloaded: what is needed is linked from the environment of the tests.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path) -> Path:
    """Return the wheel of this checkout, built into `folder`."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, extra: str = "") -> Path:
    """Return the folder of the programs of a new environment with this wheel and its extra."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    command += ["--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    (ours,) = distributions(path=[str(site)])
    for needed in closure(ours, extra).values():
        _link(needed, site)
    return python.parent


def closure(of: Distribution, extra: str = "") -> dict[str, Distribution]:
    """Return by name what this distribution needs, with its extra, and what that needs."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()

    def add(one: Distribution, extra: str) -> None:
        for requirement in map(Requirement, one.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            name = canonicalize_name(requirement.name)
            for more in {"", *requirement.extras} - {e for n, e in seen if n == name}:
                seen.add((name, more))
                found.setdefault(name, distribution(name))
                add(found[name], more)

    add(of, extra)
    return found


def _link(one: Distribution, site: Path) -> None:
    for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(str(one.locate_file(top)))


def stranger(home: Path) -> dict[str, str]:
    """Return the environment of somebody who knows nothing of this checkout and has no cache."""
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", **_kept()}


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
