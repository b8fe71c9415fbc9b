"""The log of experiments: its index, and what the code says of it."""

import re
from pathlib import Path

import pytest
from documents import DOCS, ROOT

LOG = DOCS / "log"
SUBJECTS = sorted(path for path in LOG.glob("*.md") if path.name != "index.md")
ENTRY = re.compile(r"^## (.+)\n\n\*\*(\d{4}-\d\d-\d\d)( ✗)?\*\* ((?:.+\n)+)", re.MULTILINE)
REFERENCE = re.compile(r"docs/log/(\w[\w-]*\.md),\s+(\d{4}-\d\d-\d\d)(?: and (\d{4}-\d\d-\d\d))?")


def entries(path: Path) -> list[tuple[str, str, str, str]]:
    """Return of each entry its date, its mark, its question and its answer."""
    found = ENTRY.findall(path.read_text())
    return [(day, mark.strip(), asked, " ".join(said.split())) for asked, day, mark, said in found]


@pytest.mark.parametrize("path", SUBJECTS, ids=lambda path: path.stem)
def test_each_entry_has_a_question_a_date_and_an_answer_and_stands_in_the_index(path):
    found, index = entries(path), (LOG / "index.md").read_text()
    assert len(found) == len(re.findall(r"^## ", path.read_text(), re.MULTILINE))
    listed = index.split(f"]({path.name})")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d{4}.*?) \|(.*?)\| (.*?) \| (.*) \|$", listed, re.MULTILINE)
    assert [(d, m.strip(), q, a) for d, m, q, a in rows] == found


def test_the_code_refers_to_entries_that_there_are():
    dates = {path.name: {day for day, *_ in entries(path)} for path in SUBJECTS}
    sources = [p for part in ("lazycore", "pages") for p in sorted((ROOT / part).rglob("*.py"))]
    named = 0
    for source in [*sources, ROOT / "README.md", *DOCS.glob("*.md")]:
        for name, *days in REFERENCE.findall(source.read_text()):
            named += 1
            assert set(filter(None, days)) <= dates[name], f"{source}: {name}, {days}"
    assert named >= 14
    assert not any("LOG.md" in source.read_text() for source in sources)
