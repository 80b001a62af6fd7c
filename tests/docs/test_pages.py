import re

import pytest

import pieces_orm
from pieces_orm import errors
from pieces_orm.signals import Signal, Signals

from .pages import DOCS, PAGES, REFERENCE, ROOT, fragments, links

README = (ROOT / "README.md").read_text("utf-8")


def test_the_readme_gives_the_two_commands_each_on_a_line_of_its_own():
    lines = [line.strip() for line in README.splitlines()]
    assert [line for line in lines if "python3 -m venv" in line] == [
        "python3 -m venv .venv && .venv/bin/pip install -q '.[all]' && .venv/bin/pieces-orm demo",
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[all,test]' && .venv/bin/pytest",
    ]


def test_the_readme_begins_with_what_the_data_and_the_package_are_and_for_whom():
    lines = README.splitlines()
    assert lines[0] == "# pieces_orm"
    data, package, people = [line for line in lines[1:] if line][:3]
    assert data.startswith("Pieces data is")
    assert "anchors" in data
    assert package.startswith("`pieces_orm` turns")
    assert people.startswith("It is for")


def test_the_readme_uses_a_tool_only_after_the_command_that_installs_it():
    demo, tests = (README.index(command) for command in ("'.[all]' && .venv", "'.[all,test]' && .venv"))
    assert demo < tests < README.index(".venv/bin/sphinx-build")
    assert tests < README.index(".ci/check")
    assert min(match.start() for match in re.finditer(r"\.venv/bin/pieces-orm demo (?!\|)", README)) > demo


def test_the_readme_links_to_every_page_of_the_user_guide():
    linked = {path.name for path, _ in links(ROOT / "README.md") if path.parent == DOCS}
    assert linked == {page.name for page in DOCS.glob("*.md")}


def test_every_page_is_in_a_table_of_contents():
    for index, pages in ((DOCS / "index.md", DOCS.glob("*.md")), (DOCS / "reference" / "index.md", REFERENCE)):
        lists = re.findall(r"```\{toctree\}(.*?)```", index.read_text("utf-8"), re.DOTALL)
        listed = [name for each in lists for name in re.findall(r"^[\w-]+$", each, re.MULTILINE)]
        assert sorted(listed) == sorted({page.stem for page in pages} - {"index"})


def test_no_page_has_the_name_of_one_that_sphinx_writes():
    assert {page.stem for page in PAGES} & {"search", "genindex", "py-modindex"} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page):
    assert [path for path, _ in links(page) if not path.is_file()] == []
    assert [(path, name) for path, name in links(page) if name and name not in fragments(path)] == []


def test_the_tree_of_errors_is_whole():
    page = (DOCS / "errors.md").read_text("utf-8")
    tree = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    every = {name for name in dir(errors) if isinstance(getattr(errors, name), type) and name[0].isupper()}
    assert set(re.findall(r"^ *(\w+)", tree, re.MULTILINE)) == {
        name for name in every if issubclass(getattr(errors, name), errors.PiecesError)
    }


def test_the_pages_name_every_signal_and_every_state():
    page = (DOCS / "signals.md").read_text("utf-8")
    names = [name for name in vars(Signals) if isinstance(getattr(Signals(), name, None), Signal)]
    assert len(names) == 9
    assert [name for name in names if f"`{name}`" not in page] == []
    states = (DOCS / "entities.md").read_text("utf-8")
    assert [state.name for state in pieces_orm.State if state.name not in states] == []


def test_the_kinds_that_the_readme_counts_are_those_of_a_session():
    assert f"- {len(pieces_orm.Entity._registry)} kinds:" in README


def test_what_the_readme_says_of_an_asset_can_be_saved():
    fields = pieces_orm.Asset._schema.fields
    assert [name for name in ("text", "language", "description") if fields[name].readonly] == []
    assert "Saving the text, language and description of an asset" in README
