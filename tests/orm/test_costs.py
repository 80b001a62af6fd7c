"""What things cost, counted: requests, allocations, bytes, modules. A clock says something else each time."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset
from pieces_orm.orm import loading
from pieces_orm.session import Session
from tests.benchmarks import payloads
from tests.cli.programs import ROOT
from tests.support import Requests

NUMBER = 200


def count(requests, act):
    requests.take()
    act()
    return requests.take()


def test_each_operation_makes_the_requests_that_it_says_and_no_more(pieces):
    requests = Requests(pieces)
    asset = pieces.assets.create("x = 1")
    anchor = pieces.anchors.create("/projects/tides")
    assert requests.take() == ["POST /connect", "POST /assets/create", "POST /anchors/create"]
    one, other = f"/assets/{asset.id}", f"/anchor/{anchor.id}"

    def edit():
        anchor.name = "tides"
        anchor.save()

    def read_all_fields():
        for name in (*Asset._schema.fields, *Anchor._schema.fields):
            getattr(asset if name in Asset._schema.fields else anchor, name)

    expected = {
        read_all_fields: [],
        lambda: anchor.associate(asset): [f"POST {other}/assets/associate/{asset.id}"],
        lambda: (asset in anchor.assets, len(anchor.assets), list(anchor.assets), asset.anchors.ids): [],
        edit: [f"GET {other}", "POST /anchor/update"],
        lambda: pieces.anchors.get(anchor.id): [f"GET {other}"],
        lambda: pieces.assets.get(asset.id): [f"GET {one}"],
        lambda: (pieces.assets.peek(asset.id), pieces.assets.ref(asset.id)): [],
        lambda: pieces.anchors.all(): ["GET /anchors"],
        lambda: pieces.assets.ids(): ["GET /assets/identifiers"],
        lambda: anchor.increment_score("reuse"): [f"POST {other}/scores/increment"],
        lambda: anchor.disassociate(asset): [f"POST {other}/assets/disassociate/{asset.id}"],
        lambda: asset.delete(): [f"POST {one}/delete"],
    }
    assert [count(requests, act) for act in expected] == list(expected.values())


def adopt(session, kind, data):
    with session._context.history.request() as number:
        return loading.adopt_page(session._context, getattr(session, kind).entity, data, number)


def page(kind):
    return json.dumps(payloads.collection(kind, NUMBER), separators=(",", ":")).encode()


# Of one material: blocks that are allocated to hold it, bytes beyond its document, and those that five fields add.
COSTS = {
    "assets": (7, 570, 520),
    "anchors": (7, 480, 280),
    "workstream_events": (7, 490, 900),
    "websites": (7, 480, 450),
}
FIELDS = ("id", "name", "readable", "url", "creator", "created", "updated")


@pytest.mark.parametrize("kind", COSTS)
def test_an_entity_costs_few_allocations_and_little_more_than_its_bytes(kind):
    blocks, beyond, more = COSTS[kind]
    data, session = page(kind), Session("http://127.0.0.1:1")
    adopt(session, kind, data)  # what is made once, on first use
    gc.collect()
    tracemalloc.start()
    try:
        held = adopt(session, kind, data)
        gc.collect()
        snapshot = tracemalloc.take_snapshot()
        whole = tracemalloc.get_traced_memory()[0]
        for entity in held:
            for name in FIELDS:
                getattr(entity, name, None)
        fields = tracemalloc.get_traced_memory()[0] - whole
    finally:
        tracemalloc.stop()
    assert sum(each.count for each in snapshot.statistics("filename")) / NUMBER <= blocks
    assert whole / NUMBER - len(data) / NUMBER <= beyond
    assert 0 < fields / NUMBER <= more


def test_a_field_that_nobody_reads_is_not_decoded():
    data, session = page("assets"), Session("http://127.0.0.1:1")
    [entity, *_] = adopt(session, "assets", data)
    assert entity._state.document.is_unopened
    assert entity.name
    assert entity.created.year == 2025
    assert entity._state.document.is_unopened, "plain fields are read together, without opening the document"
    assert entity.score is not None
    assert not entity._state.document.is_unopened


def test_an_entity_is_three_objects_to_the_garbage_collector():
    data, session = page("assets"), Session("http://127.0.0.1:1")
    gc.collect()
    before = len(gc.get_objects())
    held = adopt(session, "assets", data)
    assert len(gc.get_objects()) - before <= 3 * len(held) + 20


# Modules of other packages that `import pieces_orm` may bring, besides what its own dependencies bring.
OWN = """
import sys
import requests, attrs, cattrs, blinker, msgspec
before = set(sys.modules)
import pieces_orm
brought = {name for name in set(sys.modules) - before if not name.startswith("pieces_orm")}
print(*sorted(brought))
modules = {name: module for name, module in sys.modules.items() if name.startswith("pieces_orm")}
print(len([name for name, module in modules.items() if not hasattr(module, "__path__")]))
"""


def test_the_import_brings_few_modules():
    done = subprocess.run([sys.executable, "-c", OWN], cwd=ROOT, capture_output=True, text=True, check=True)
    brought, own = done.stdout.splitlines()
    others = {name.split(".")[0] for name in brought.split()}
    assert others <= {"concurrent"}, brought
    assert int(own) <= 95


def test_nobody_who_does_not_watch_pays_for_it():
    later = ("sync.feed", "transport.websocket", "collection.suggestions", "server", "cli")
    code = f"import sys, pieces_orm; print(*[n for n in {later!r} if f'pieces_orm.{{n}}' in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_public_names_that_come_later_are_the_same_as_others():
    assert {"Change", "Live", "Suggestion", "Watch"} <= set(dir(pieces_orm))
    assert pieces_orm.Watch.__module__ == "pieces_orm.sync.watch"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = pieces_orm.Nothing
