"""Every Python block of a page is run, in order, in one namespace, with an embedded server that connect() finds."""

import inspect

import pytest

import pieces_orm

from .pages import PAGES, REFERENCE, ROOT, snippets

WITH_PYTHON = [page for page in PAGES if snippets(page).strip()]


@pytest.fixture
def namespace(pieces_server, tmp_path, monkeypatch):
    """Where a page runs: an empty folder, and a server that is found by the environment."""
    monkeypatch.setenv("PIECES_URL", pieces_server.url)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "snippets"}
    yield names
    for value in names.values():
        if isinstance(value, pieces_orm.Session):
            value.close()


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_the_snippets_of_a_page_run(page, namespace, pieces, pieces_server, capsys):
    exec(compile(snippets(page), str(page), "exec"), namespace)
    fixtures = {"pieces": pieces, "pieces_server": pieces_server}
    for name, test in list(namespace.items()):
        if name.startswith("test_"):
            test(**{wanted: fixtures[wanted] for wanted in inspect.signature(test).parameters})


@pytest.mark.slow
def test_a_reader_who_runs_the_book_on_one_server_twice_meets_no_error(namespace, capsys):
    """What a page leaves behind must not trip the next one, nor the same one when it is read again."""
    for page in (*WITH_PYTHON, *WITH_PYTHON):
        names = dict(namespace)
        try:
            exec(compile(snippets(page), str(page), "exec"), names)
        finally:
            for value in names.values():
                if isinstance(value, pieces_orm.Session):
                    value.close()


def test_all_pages_that_teach_python_have_some():
    without = set(PAGES) - set(WITH_PYTHON) - set(REFERENCE)
    assert {page.stem for page in without} == {
        "architecture", "commandline", "contributing", "extending", "index", "kinds", "pieces-os", "programs",
        "reliability", "security",
    }  # fmt: skip


def test_the_readme_makes_the_database_that_it_names(namespace, tmp_path, capsys):
    exec(compile(snippets(ROOT / "README.md"), "README.md", "exec"), namespace)
    assert (tmp_path / "my-pieces.db").is_file()


def test_the_readme_shows_the_asset_that_it_finds_and_the_changes_that_it_announces(namespace, capsys):
    exec(compile(snippets(ROOT / "README.md"), "README.md", "exec"), namespace)
    local, hit, *remote = capsys.readouterr().out.splitlines()
    assert local == "local tide height"
    assert hit.endswith(" tide height []")
    # The signal arrives on a thread of the session, the change in the loop of the program.
    assert sorted(remote) == ["changed tide table", "remote tide table"]
