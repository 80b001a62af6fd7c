"""One transaction that writes a lot."""

import time

import pytest

from pieces_orm.server.storage.store import Store
from pieces_orm.server.storage.tables import StoredRelation
from pieces_orm.wire.kinds import ASSET, TAG

RELATION = StoredRelation("asset-tag", ASSET, TAG)


@pytest.fixture
def writer():
    store = Store()
    store.open(lambda _: None)
    with store.write() as writer:
        writer.create("asset", "a", "{}")
        yield writer
    store.close()


def seconds_to_look(writer, tags):
    """Time to look at the edges of some tags, and to add them again."""
    begun = time.thread_time()
    for id in tags:
        assert not writer.add_edge(RELATION, "a", id)
        assert list(writer.edges("tag", [id])) == [("asset-tag", "b", id, "a")]
    return time.thread_time() - begun


def test_the_time_for_an_edge_does_not_grow_with_their_number(writer):
    ids = [f"t{number}" for number in range(3_000)]
    for id in ids[:100]:
        writer.create("tag", id, "{}")
        assert writer.add_edge(RELATION, "a", id)
    few = min(seconds_to_look(writer, ids[:100]) for _ in range(3))
    for id in ids[100:]:
        writer.create("tag", id, "{}")
        assert writer.add_edge(RELATION, "a", id)
    assert min(seconds_to_look(writer, ids[-100:]) for _ in range(3)) < 5 * few


def test_edges_of_new_materials_are_read_in_order_and_forgotten_with_them(writer):
    for id in ("x", "y", "z"):
        writer.create("tag", id, "{}")
        writer.add_edge(RELATION, "a", id)
    assert [other for *_, other in writer.edges("asset", ["a"])] == ["x", "y", "z"]
    assert [other for *_, other in writer.edges("asset", ["a"], most=1)] == ["x", "y"]
    writer.remove_edge(RELATION, "a", "y")
    writer.delete("tag", "x")
    assert [other for *_, other in writer.edges("asset", ["a"])] == ["z"]
    assert list(writer.edges("tag", ["y", "z"])) == [("asset-tag", "b", "z", "a")]
    assert writer.add_edge(RELATION, "a", "y")
    assert [other for *_, other in writer.edges("asset", ["a"])] == ["z", "y"]
    symmetric = StoredRelation("tag.tags", TAG, TAG, symmetric=True)
    assert writer.add_edge(symmetric, "z", "y")
    assert not writer.add_edge(symmetric, "y", "z")
    assert ("tag.tags", "b", "z", "y") in list(writer.edges("tag", ["z"]))
