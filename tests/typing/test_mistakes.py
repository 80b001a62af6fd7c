"""Each of the mistakes is found by type checkers, as its comment says, and refused at run time with a remedy."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

import pieces_orm
from pieces_orm.errors import PiecesError
from pieces_orm.server import Server
from tests.support import Requests

from . import mistakes
from .mistakes import MISTAKES, World

# Those that Python itself finds.
OF_PYTHON = {
    "the_length_of_a_collection", "a_look_up_of_a_kind_without_a_natural_key", "a_misspelt_field",
    "a_relation_for_a_list",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Server() as one, Server() as two, pieces_orm.connect(one.url) as session, pieces_orm.connect(two.url) as other:
        asset, tag = session.assets.create("x = 1", name="tide.py", tags=["tides"]), session.tags.create("moon")
        yield World(session, asset, tag, session.anchors.create("/projects"), other.tags.create("foreign"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_refused_before_any_request_and_with_a_remedy(
    world: World, mistake: Callable[[World], object]
) -> None:
    refusal, requests = MISTAKES[mistake], Requests(world.session)
    with pytest.raises(refusal.error, match=refusal.message) as caught:
        mistake(world)
    assert requests.take() == []
    assert world.asset.edits == {}
    assert isinstance(caught.value, PiecesError) is (mistake.__name__ not in OF_PYTHON)


def found_by(mistake: Callable[[World], object]) -> str:
    """The checkers that find a mistake before the program runs, as the comment in it says."""
    source = inspect.getsource(mistake)
    if "# type: ignore[" in source:
        return "mypy and basedpyright"
    return "basedpyright" if "# pyright: ignore[" in source else "pieces_orm"


def test_of_39_mistakes_the_checkers_find_more_than_half() -> None:
    tree = ast.parse(inspect.getsource(mistakes))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [each.__name__ for each in MISTAKES] == [each.name for each in functions if each.args.args[0].arg == "w"]
    assert Counter(map(found_by, MISTAKES)) == {"mypy and basedpyright": 20, "basedpyright": 1, "pieces_orm": 18}
