import re

import pytest

import pieces_orm
from pieces_orm import errors
from pieces_orm.signals import Signals

from .pages import PAGES, ROOT

README = (ROOT / "README.md").read_text("utf-8")
DOCS = ROOT / "docs"


def test_the_readme_gives_the_two_commands_each_on_a_line_of_its_own():
    lines = [line.strip() for line in README.splitlines()]
    assert [line for line in lines if "python3 -m venv" in line] == [
        "python3 -m venv .venv && .venv/bin/pip install -q '.[all]' && .venv/bin/pieces-orm demo",
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[all,test]' && .venv/bin/pytest",
    ]


def test_the_readme_links_to_nothing_because_it_is_read_elsewhere_too():
    assert re.findall(r"\]\(", README) == []


def test_every_page_is_in_the_table_of_contents():
    listed = re.search(r"```\{toctree\}(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.DOTALL)[1]
    assert sorted(re.findall(r"^[\w-]+$", listed, re.MULTILINE)) == sorted(
        page.stem for page in PAGES if page.parent == DOCS and page.stem != "index"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([\w-]+\.md)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).is_file()] == []


def test_the_tree_of_errors_is_whole():
    page = (DOCS / "errors.md").read_text("utf-8")
    tree = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    every = {name for name in dir(errors) if isinstance(getattr(errors, name), type) and name[0].isupper()}
    assert set(re.findall(r"^ *(\w+)", tree, re.MULTILINE)) == {
        name for name in every if issubclass(getattr(errors, name), errors.PiecesError)
    }


def test_the_pages_name_every_signal_and_every_state():
    page = (DOCS / "signals.md").read_text("utf-8")
    assert [name for name in vars(Signals()) if not name.startswith("_") and f"`{name}`" not in page] == []
    states = (DOCS / "entities.md").read_text("utf-8")
    assert [state.name for state in pieces_orm.State if state.name not in states] == []


def test_the_kinds_that_the_readme_counts_are_those_of_a_session():
    assert f"- {len(pieces_orm.Entity._registry)} kinds:" in README


def test_what_the_readme_says_of_an_asset_can_be_saved():
    fields = pieces_orm.Asset.fields
    assert [name for name in ("text", "language", "description") if fields[name].readonly] == []
    assert "Saving the text, language and description of an asset" in README
