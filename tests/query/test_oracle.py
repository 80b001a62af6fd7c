"""Random queries find what plain Python finds, in the same order, whichever way they are answered."""

from __future__ import annotations

import random
import re
from contextlib import ExitStack

import pytest

from ..support import Requests
from .oracle import case
from .world import WAYS, World

QUERIES = 2_000


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with ExitStack() as stack:
        yield World(tmp_path_factory.mktemp("world"), stack, seed=13)


def explained(explanation, made):
    """Tell whether requests are those of an explanation: those with a note come as often as needed, the others once."""
    texts = [re.fullmatch(r"(\S+ [^ ?]+)\S*( \(.*\))?", request).groups() for request in explanation.requests]
    certain = [text for text, note in texts if note is None]
    patterns = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(text)) for text, note in texts if note is not None]
    left = list(certain)
    for request in made:
        if left and request == left[0]:
            left.pop(0)
        elif not any(re.fullmatch(pattern, request) for pattern in patterns):
            return False
    return not left


def check(world, requests, way, each):
    session = world.sessions[way]
    query = each.ask(session)
    requests[way].take()
    explanation = query.explain()
    assert requests[way].take() == []
    assert tuple(found.id for found in query) == each.ids, (way, each.text, str(explanation))
    made = requests[way].take()
    assert explained(explanation, made), (way, each.text, str(explanation), made)
    return query


@pytest.mark.slow
def test_random_queries_find_what_plain_python_finds_whichever_way(world):
    rng = random.Random(2000)
    requests = {way: Requests(session) for way, session in world.sessions.items()}
    for number in range(QUERIES):
        each = case(world, rng)
        query = check(world, requests, WAYS[number % len(WAYS)], each)
        if number % 32 < 4:
            assert (query.ids(), query.count(), query.exists()) == (each.ids, len(each.ids), bool(each.ids)), each.text


def test_the_newest_events_are_the_same_by_the_limit_of_the_wire(world):
    for way in WAYS:
        events = world.sessions[way].workstream_events
        every = events.query().ids()
        assert len({each.created for each in events.all()}) < len(every)
        for n in range(len(every) + 2):
            assert tuple(each.id for each in events.latest(n)) == every[:n]


@pytest.mark.soak
def test_every_random_query_finds_the_same_in_all_four_ways(world):
    rng = random.Random(2001)
    requests = {way: Requests(session) for way, session in world.sessions.items()}
    for _ in range(QUERIES):
        each = case(world, rng)
        for way in WAYS:
            check(world, requests, way, each)
