"""The API reference is whole."""

import inspect
import re
import subprocess
import sys

import pytest
from sphinx.util.inventory import InventoryFile

import pieces_orm
from pieces_orm import errors, filters, values

from .pages import DOCS, ROOT

# One build for all, on one worker.
pytestmark = pytest.mark.xdist_group("reference")

SERVER = {"Server", "Settings", "Faults"}
COLLECTIONS = {"Collection", "KeyedCollection", "SearchableCollection", "AssetCollection"}
FIXTURES = {"pieces", "pieces_server"}


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of a build in which each warning is an error."""
    folder = tmp_path_factory.mktemp("docs")
    html = folder / "html"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", folder / "trees", DOCS, html],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return html


@pytest.fixture(scope="module")
def documented(html):
    """Every name in the reference, with its type."""
    inventory = InventoryFile.loads((html / "objects.inv").read_bytes(), uri="")
    return {(kind, name) for kind, names in inventory.data.items() for name in names}


def names(documented, *kinds):
    return {name.rpartition(".")[2] for kind, name in documented if kind.removeprefix("py:") in kinds}


def defined_in(module):
    """The public classes and functions that a module defines itself."""
    defined = {name: each for name, each in vars(module).items() if inspect.isclass(each) or inspect.isfunction(each)}
    own = {name for name, each in defined.items() if each.__module__ == module.__name__}
    return {name for name in own if not name.startswith("_")}


def test_the_reference_has_every_public_name(documented):
    found = names(documented, "class", "exception", "function", "module", "attribute", "data")
    assert set(pieces_orm.__all__) - found == set()
    assert set(values.__all__) - found == set()
    assert (SERVER | COLLECTIONS | FIXTURES) - found == set()


def test_the_reference_has_every_error_and_every_filter(documented):
    raised = {name for name in defined_in(errors) if isinstance(getattr(errors, name), type)}
    assert raised - names(documented, "exception") == set()
    assert defined_in(filters) - names(documented, "function", "class") == set()


@pytest.mark.parametrize("cls", [pieces_orm.Session, pieces_orm.Entity], ids=lambda cls: cls.__name__)
def test_the_reference_has_every_public_method(documented, cls):
    methods = {name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name, None))}
    found = {name for _, name in documented}
    assert [name for name in methods if f"pieces_orm.{cls.__name__}.{name}" not in found] == []


def test_no_sentence_about_a_property_is_taken_for_its_type(html):
    """Napoleon reads `name: text` in the first line of a property's docstring as a type and its description."""
    assert [page.name for page in (html / "reference").glob("*.html") if ">Type<span" in page.read_text("utf-8")] == []


def test_the_pages_need_nothing_from_elsewhere(html):
    sources = r"""<(?:script|img|iframe)[^>]* src=["']https?:|<link[^>]* rel=["']stylesheet["'][^>]* href=["']https?:"""
    assert [page.name for page in html.rglob("*.html") if re.search(sources, page.read_text("utf-8"))] == []


def test_the_page_on_searching_and_the_search_are_two_pages(html):
    assert "searching.html" in {page.name for page in html.iterdir()}
    assert 'id="search-results"' in (html / "search.html").read_text("utf-8")


KINDS = (DOCS / "kinds.md").read_text("utf-8").split("\n## ")[1:]
SECTIONS = {section.partition("\n")[0]: section for section in KINDS}


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def members(documented, *classes):
    return {name.rpartition(".")[2] for _, name in documented if name.rpartition(".")[0] in classes}


def test_a_session_shows_the_documented_names_and_nothing_else(documented):
    collections = {re.search(r"`session\.(\w+)`", section)[1] for section in KINDS}
    with pieces_orm.Session("http://127.0.0.1:9") as session:
        assert public(session) == collections | members(documented, "pieces_orm.Session")


@pytest.mark.parametrize("name", SECTIONS)
def test_an_entity_shows_the_documented_names_and_nothing_else(documented, name):
    cls = getattr(pieces_orm, name)
    fields_and_relations = set(re.findall(r"^\| \*?(\w+)\*? \|", SECTIONS[name], re.MULTILINE)) - {"field", "relation"}
    with pieces_orm.Session("http://127.0.0.1:9") as session:
        entity = session[cls].ref("an-id")
        shown = fields_and_relations | members(documented, "pieces_orm.Entity", f"pieces_orm.{name}")
        assert public(entity) == shown | {"id"}


def test_a_collection_shows_the_documented_names_and_nothing_else(documented):
    with pieces_orm.Session("http://127.0.0.1:9") as session:
        assert public(session.ranges) == members(documented, "pieces_orm.Collection")
        searchable = members(documented, "pieces_orm.Collection", "pieces_orm.SearchableCollection")
        assert public(session.hints) == searchable
        assert public(session.tags) == searchable | members(documented, "pieces_orm.KeyedCollection")
        assert public(session.assets) == members(documented, "pieces_orm.Collection", "pieces_orm.AssetCollection")
