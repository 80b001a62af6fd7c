"""What is done millions of times: reading and setting a field, the body of a save, signals that nobody hears."""

from __future__ import annotations

import json
import statistics
import time
import timeit
from functools import partial
from typing import Any

import msgspec
from pieces_os_client.api_client import ApiClient
from pieces_os_client.models.asset import Asset as OfficialAsset

from pieces_orm import Asset
from pieces_orm.documents.merging import merge
from pieces_orm.model.diff import Changes
from pieces_orm.orm import emitting
from pieces_orm.orm.persistence import patch
from pieces_orm.session import Session

from . import payloads
from .measuring import Row, each, interleaved
from .reading import NOWHERE, adopted


class Slot:
    """The floor: a plain slot."""

    __slots__ = ("name",)


def measure(*, quick: bool) -> list[Row]:
    """P7 to P9, and P15."""
    repeats, calls = (5, 2000) if quick else (15, 20_000)
    session = Session(NOWHERE)
    first = _first_edits(session, repeats)
    document = payloads.collection("assets", 1)
    [asset] = adopted(session, "assets", json.dumps(document).encode())
    assert isinstance(asset, Asset)
    official: Any = OfficialAsset.from_dict(document["iterable"][0])
    client = ApiClient()
    slot = Slot()
    slot.name = official.name
    texts = ("tide tables", "tide heights")

    def sets(owner: Any) -> Any:
        def act() -> None:
            owner.name, owner.name = texts

        return act

    read = _reads({"ours": asset, "official": official, "floor": slot}, repeats, calls * 10)
    written = each({"ours": sets(asset), "official": sets(official), "floor": sets(slot)}, repeats, calls)
    held = asset._state.document
    assert held is not None

    def body() -> bytes:
        assert held is not None
        return merge(held, patch(asset, asset._state.pending()))

    splice = dict(held.keys)
    encoded = each(
        {
            "ours": body,
            "official": lambda: json.dumps(client.sanitize_for_serialization(official)),
            "floor": lambda: msgspec.json.encode(splice),
        },
        repeats,
        calls // 20,
    )
    return [
        _row("P7", "read a decoded field, timeit's loop included", read, "floor", "x a slot", 2),
        _row("P7", "set a field for the first time, the edit recorded", first, "official", "x official", 0.3),
        _row("P7", "set it again, the edit recorded", written, "official", "x official", 0.3),
        _row("P8", "encode the body of save() for one asset", encoded, "official", "x official", 0.02),
        _signals(session, asset, repeats, calls),
        _scope(session, repeats, calls),
    ]


def _first_edits(session: Session, repeats: int) -> dict[str, float]:
    """The median seconds of the first edit of an entity that was read; each time of fresh ones."""
    number = 100
    page = payloads.page("assets", number)
    listed = json.loads(page)["iterable"]
    taken: dict[str, list[float]] = {"ours": [], "official": [], "floor": []}
    for _ in range(repeats):
        assets = adopted(session, "assets", page)
        slots = [Slot() for _ in assets]
        owners: dict[str, list[Any]] = {
            "ours": assets, "official": [OfficialAsset.from_dict(each) for each in listed], "floor": slots,
        }  # fmt: skip
        for slot, asset in zip(slots, assets, strict=True):
            slot.name = asset.name  # type: ignore[attr-defined]
        for name, some in owners.items():
            began = time.perf_counter()
            for owner in some:
                owner.name = "tide tables"
            taken[name].append((time.perf_counter() - began) / number)
        for asset in assets:
            asset.revert()
    return {name: statistics.median(times) for name, times in taken.items()}


def _reads(owners: dict[str, Any], repeats: int, calls: int) -> dict[str, float]:
    """The median seconds of `owner.name` as timeit measures it; in turn."""
    timers = {name: timeit.Timer("owner.name", globals={"owner": owner}) for name, owner in owners.items()}
    taken = interleaved({name: partial(timer.timeit, calls) for name, timer in timers.items()}, repeats)
    return {name: seconds / calls for name, seconds in taken.items()}


def _row(number: str, work: str, taken: dict[str, float], beside: str, measure: str, goal: float) -> Row:
    figures = (taken["ours"], taken["official"], taken["floor"])
    return Row(number, work, *figures, measure, taken["ours"] / taken[beside], goal)


def _scope(session: Session, repeats: int, calls: int) -> Row:
    """The cost of a scope for each request of a back end; the last one is freed with it."""
    cost = each({"ours": session.scope}, repeats, calls)["ours"]
    return Row("P15", "open a scope of a session", cost, None, None, "us", cost * 1e6, 20)


def _signals(session: Session, asset: Asset, repeats: int, calls: int) -> Row:
    """What is done to emit a change, and of what was linked and unlinked by it: three signals."""
    changed = [(Asset._schema.relations["tags"], "a tag")]
    changes = Changes(before={"name": "before"}, linked=changed, unlinked=changed)

    def told() -> None:
        emitting.emit_changes(session._context, asset, changes, "refresh")

    cost = each({"ours": told}, repeats, calls)["ours"] / 3
    return Row("P9", "a signal that nobody hears", cost, None, None, "ns", cost * 1e9, 60)
