"""Every error of the package pickles and copies, with its class, its message and its attributes."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from pieces_orm import PiecesError, State, errors

CLASSES = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, PiecesError)]


def made(cls):
    """An error of a class, with an attribute for each of its arguments."""
    given = {
        name: {"name": "x"} if name in ("base", "mine", "theirs") else name
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    if cls is errors.BatchError:
        given = {"succeeded": ["a"], "failed": {"b": made(errors.NotFoundError), "c": made(errors.RequestTimeout)}}
    return cls("It failed.", **given)


def seen(error):
    """What one can see of an error, also of those inside it."""
    inner = {name: seen(value) if isinstance(value, PiecesError) else value for name, value in vars(error).items()}
    if "failed" in inner:
        inner["failed"] = {id: seen(each) for id, each in inner["failed"].items()}
    return type(error), str(error), error.args, inner


class OfAProgram(errors.NotFoundError):
    """A subclass with an `__init__` and attributes of its own."""

    def __init__(self, path, *, attempts):
        super().__init__(f"{path} is gone.", status=410, body="", method="GET", path=path)
        self.attempts = attempts


@pytest.mark.parametrize("way", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy], ids=range(3))
@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_of_the_tree_pickles_and_copies(cls, way):
    error = made(cls)
    assert seen(way(error)) == seen(error)
    assert way(error) is not error


def test_an_error_of_a_program_with_attributes_of_its_own_pickles_and_copies():
    error = OfAProgram("/asset/a", attempts=3)
    error.__notes__ = ["by the way"]
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert seen(other) == seen(error)
        assert (other.attempts, other.status) == (3, 410)


def test_an_error_without_arguments_pickles():
    error = pickle.loads(pickle.dumps(PiecesError()))
    assert (type(error), error.args, error.created) == (PiecesError, (), None)


def fail(cls):
    raise made(cls)


@pytest.mark.slow
def test_an_error_crosses_a_process_pool_and_leaves_it_usable():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for cls in (errors.NotFoundError, errors.BatchError, errors.ConflictError):
            assert seen(pool.submit(fail, cls).exception(timeout=30)) == seen(made(cls))


def test_an_error_that_carries_an_entity_pickles_without_it_and_names_its_id(pieces, other):
    anchor = pieces.anchors.create("/projects/tides")
    other.anchors.get(anchor.id).delete()
    with pytest.raises(PiecesError) as caught:
        pieces.assets.create("x = 1", anchors=[anchor])
    assert caught.value.created.state is State.LOADED
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.created is None
    assert caught.value.created.id in str(error)
