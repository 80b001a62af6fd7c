"""Blocks of `editing()` on several threads: everything is saved, and a failure takes back its own only."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from pieces_orm import InvalidValueError
from tests.support import Requests, wait_for


class Elsewhere:
    """Steps of a block on another thread, one after the other as the test says."""

    def __init__(self, entity):
        self._entity, self._steps, self._next, self._done = entity, [], threading.Event(), threading.Event()
        self.raised = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._done.wait(5)

    def _run(self):
        try:
            with self._entity.editing():
                while True:
                    self._done.set()
                    assert self._next.wait(5)
                    self._next.clear()
                    step = self._steps.pop()
                    if step is None:
                        break
                    step()
        except BaseException as error:  # noqa: BLE001 looked at by the test
            self.raised = error
        self._done.set()

    def do(self, step):
        """Do a step in the block; None leaves it."""
        self._done.clear()
        self._steps.append(step)
        self._next.set()
        assert self._done.wait(5)
        if step is None:
            self._thread.join(5)

    def set(self, **values):
        self.do(lambda: [setattr(self._entity, name, value) for name, value in values.items()])

    def fail(self):
        def fail():
            raise RuntimeError("elsewhere")

        self.do(fail)
        self._thread.join(5)
        assert isinstance(self.raised, RuntimeError)


@pytest.fixture
def website(pieces):
    return pieces.websites.create("https://tides.example", name="tides")


def saved(website, other):
    found = other.websites.get(website.id)
    return found.name, found.url


def test_each_of_two_blocks_saves_what_was_set_in_it_at_its_own_end(website, other):
    with website.editing():
        elsewhere = Elsewhere(website)
        elsewhere.set(url="https://moon.example")
        website.name = "moon"
    assert saved(website, other) == ("moon", "https://tides.example")
    assert website.edits == {"url": "https://moon.example"}
    elsewhere.do(None)
    assert saved(website, other) == ("moon", "https://moon.example")
    assert website.edits == {}


def test_what_the_second_block_sets_after_the_first_has_ended_is_saved(website, other):
    with website.editing():
        elsewhere = Elsewhere(website)
        website.name = "moon"
    elsewhere.set(url="https://moon.example")
    elsewhere.do(None)
    assert elsewhere.raised is None
    assert (saved(website, other), website.edits) == (("moon", "https://moon.example"), {})


def test_an_exception_takes_back_only_what_its_own_block_set(website, other):
    elsewhere = Elsewhere(website)
    elsewhere.set(url="https://moon.example")
    with pytest.raises(RuntimeError, match="here"), website.editing():
        website.name = "moon"
        raise RuntimeError("here")
    assert (website.name, website.edits) == ("tides", {"url": "https://moon.example"})
    elsewhere.do(None)
    assert saved(website, other) == ("tides", "https://moon.example")


def test_an_exception_elsewhere_takes_back_nothing_of_this_block(website, other):
    with website.editing():
        website.name = "moon"
        elsewhere = Elsewhere(website)
        elsewhere.set(url="https://moon.example")
        elsewhere.fail()
        assert website.edits == {"name": "moon"}
    assert saved(website, other) == ("moon", "https://tides.example")


def test_of_one_field_that_two_blocks_set_the_later_value_counts(website, other):
    with website.editing():
        website.name = "first"
        elsewhere = Elsewhere(website)
        elsewhere.set(name="second")
    assert saved(website, other)[0] == "first"
    assert website.edits == {"name": "second"}
    elsewhere.do(None)
    assert (saved(website, other)[0], website.name, website.edits) == ("second", "second", {})


def test_a_failed_block_gives_a_field_back_to_the_other_that_set_it(website, other):
    with website.editing():
        website.name = "first"
        elsewhere = Elsewhere(website)
        elsewhere.set(name="second")
        elsewhere.fail()
        assert website.name == "first"
    assert (saved(website, other)[0], website.edits) == ("first", {})


def test_a_failed_block_takes_nothing_back_that_another_has_set_over_it(website, other):
    elsewhere = Elsewhere(website)
    elsewhere.set(name="first")
    with website.editing():
        website.name = "second"
        elsewhere.fail()
        assert website.name == "second"
    assert (saved(website, other)[0], website.edits) == ("second", {})


def test_a_failed_block_leaves_a_value_that_was_set_outside_of_any_block(website):
    elsewhere = Elsewhere(website)
    elsewhere.set(name="first")
    website.name = "second"
    elsewhere.fail()
    assert website.edits == {"name": "second"}


def test_a_value_that_was_saved_inside_a_block_is_not_taken_back(website, other):
    with pytest.raises(RuntimeError), website.editing():
        website.name = "moon"
        website.save()
        website.url = "https://moon.example"
        raise RuntimeError
    assert (website.name, website.edits) == ("moon", {})
    assert saved(website, other) == ("moon", "https://tides.example")


def test_setting_a_field_back_inside_a_failed_block_keeps_the_edit_that_was_there(website):
    website.name = "moon"
    with pytest.raises(RuntimeError), website.editing():
        website.name = "tides"
        assert website.edits == {}
        raise RuntimeError
    assert (website.name, website.edits) == ("moon", {"name": "moon"})


def test_revert_in_a_block_gives_up_what_the_others_set_too(website):
    elsewhere = Elsewhere(website)
    elsewhere.set(name="moon")
    website.revert()
    elsewhere.fail()
    assert (website.name, website.edits) == ("tides", {})


def test_two_saves_of_one_entity_at_a_time_send_both(pieces_server, pieces, website, other):
    elsewhere = Elsewhere(website)
    elsewhere.set(url="https://moon.example")
    website.name = "moon"
    pieces_server.faults.delay(0.2, path="/website/update")
    requests = Requests(pieces)
    saving = threading.Thread(target=website.save)
    saving.start()
    wait_for(lambda: any("GET" in line for line in requests.made))
    elsewhere.do(None)
    saving.join()
    assert saved(website, other) == ("moon", "https://moon.example")
    assert website.edits == {}
    read, update = f"GET /website/{website.id}", "POST /website/update"
    assert requests.take() == [read, update, read, update]


@contextmanager
def blocks(entity, number):
    if number == 0:
        yield
    else:
        with entity.editing(), blocks(entity, number - 1):
            yield


def test_blocks_within_blocks_save_once_beside_another_thread(pieces, website, other):
    elsewhere = Elsewhere(website)
    elsewhere.set(url="https://moon.example")
    requests = Requests(pieces)
    with blocks(website, 3):
        website.name = "moon"
    assert requests.take() == [f"GET /website/{website.id}", "POST /website/update"]
    assert saved(website, other) == ("moon", "https://tides.example")
    elsewhere.do(None)


def test_an_inner_block_that_fails_takes_back_its_own_only(website, other):
    with website.editing():
        website.name = "moon"
        with pytest.raises(RuntimeError), website.editing():
            website.name = "sun"
            website.url = "https://sun.example"
            raise RuntimeError
        assert website.edits == {"name": "moon"}
    assert saved(website, other) == ("moon", "https://tides.example")


def test_a_class_of_entities_cannot_be_subclassed(pieces):
    with pytest.raises(InvalidValueError, match="Website cannot be subclassed"):
        type("Page", (type(pieces.websites.create("https://x.example")),), {})
