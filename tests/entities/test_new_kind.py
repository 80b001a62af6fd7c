"""A kind added as docs/extending.md says works, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
USE = """
from pieces_orm import Session, Tag
from tests.wire.recorder import recording

BODY = {"id": "n", "displayTitle": "Tides", "created": {"value": "2026-01-12T10:05:00Z"}, "unknown": [1],
        "tags": {"iterable": [{"id": "t"}]}}
with recording() as recorder, Session(recorder.url, api_key="x") as session:
    recorder.answer("POST", "/notebooks/create", body=BODY)
    recorder.answer("GET", "/notebook/n", body=BODY)
    recorder.answer("GET", "/notebooks", body={"iterable": [BODY]})
    recorder.answer("POST", "/notebook/update", body={**BODY, "displayTitle": "Moon"})
    notebook = session[Notebook].create("Tides")
    assert recorder.sent("POST", "/notebooks/create")[0].json == {"displayTitle": "Tides"}
    assert session[Notebook].get("n") is notebook and session[Notebook].all() == [notebook]
    assert (notebook.title, notebook.created.year, notebook.tags.refs()) == ("Tides", 2026, [session.tags.ref("t")])
    notebook.title = "Moon"
    assert notebook.save() == {"title"}
    assert recorder.sent("POST", "/notebook/update")[0].json == {**BODY, "displayTitle": "Moon"}
    notebook.delete()
    assert recorder.lines()[-1] == "POST /notebooks/n/delete"
    print("done")
"""


def test_a_kind_is_added_as_the_docs_say():
    [block] = re.findall(r"```\{code-block\} python\n(.*?)```", (ROOT / "docs" / "extending.md").read_text(), re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", block + USE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
