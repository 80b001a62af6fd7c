"""From received bytes to entities and fields, beside the official client and orjson; memory; collections of garbage."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import msgspec
import orjson
from attrs import frozen
from pieces_os_client.models.anchors import Anchors
from pieces_os_client.models.assets import Assets
from pieces_os_client.models.websites import Websites
from pieces_os_client.models.workstream_events import WorkstreamEvents

from pieces_orm import Entity
from pieces_orm.documents import page_stream
from pieces_orm.orm import state_changes
from pieces_orm.session import Session
from pieces_orm.transport.bodies import PIECE_BYTES
from tests.cli.programs import ROOT

from . import payloads
from .measuring import Row, interleaved

NOWHERE = "http://127.0.0.1:1"  # a session on it is never asked for anything: the bytes are there


class _Page(msgspec.Struct):
    iterable: list[msgspec.Raw]


_floor = msgspec.json.Decoder(_Page).decode


@frozen
class Page:
    """The payload of one kind, and what the official client makes of it."""

    kind: str
    official: type
    fields: tuple[str, ...]
    theirs: tuple[str, ...]
    number: int

    def data(self, number: int | None = None) -> bytes:
        """The bytes of a collection."""
        return payloads.page(self.kind, number or self.number)


PAGES = (
    Page("assets", Assets, ("id", "name", "creator", "created", "updated"),
         ("id", "name", "creator", "created", "updated"), 10_000),
    Page("anchors", Anchors, ("id", "name", "type", "created", "updated"),
         ("id", "name", "type", "created", "updated"), 10_000),
    Page("workstream_events", WorkstreamEvents, ("id", "readable", "window_title", "created", "updated"),
         ("id", "readable", "window_title", "created", "updated"), 10_000),
    Page("websites", Websites, ("id", "name", "url", "created", "updated"),
         ("id", "name", "url", "created", "updated"), 10_000),
)  # fmt: skip

# Goals by kind: times faster than the official client, for all() and for all() with five fields.
FASTER = {"assets": (45, 15), "anchors": (30, 10), "workstream_events": (30, 10), "websites": (12, 6)}


def measure(*, quick: bool) -> list[Row]:
    """P1 to P4."""
    rows: list[Row] = []
    for page in PAGES:
        number = page.number // 50 if quick else page.number
        # The official client's 10 000 assets take half a minute and two gigabytes a time: it gets a sample.
        sample = min(number, 1000 if page.kind == "assets" else 4000)
        rows += _page(page, number, sample, 2 if quick else 5)
    return [*rows, _retained(200 if quick else 10_000)]


def adopted(session: Session, kind: str, data: bytes) -> list[Entity]:
    """What `all()` does with the bytes, as they come."""
    chunks = (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
    collection = getattr(session, kind)
    with session._context.history.request() as number:
        page = page_stream.read(chunks, collection.entity._schema.kind.name)
        found: list[Entity] = state_changes.adopt_page(session._context, collection.entity, page, number, "refresh")
    return found


def _page(page: Page, number: int, sample: int, repeats: int) -> list[Row]:
    data, few = page.data(number), page.data(sample)
    text = few.decode()
    session = Session(NOWHERE)

    def ours() -> list[Entity]:
        return adopted(session, page.kind, data)

    taken = interleaved(
        {
            "ours": ours,
            "five": lambda: _read(ours(), page.fields),
            "official": lambda: page.official.from_json(text),
            "official five": lambda: _read(page.official.from_json(text).iterable, page.theirs),
            "orjson": lambda: orjson.loads(few),
            "floor": lambda: _floor(data),
        },
        repeats,
        collected=True,
    )
    per = {name: seconds / (number if name in ("ours", "five", "floor") else sample) for name, seconds in taken.items()}
    all_faster, five_faster = FASTER[page.kind]
    name, first, second = page.kind.replace("_", " "), *(("P1", "P2") if page.kind == "assets" else ("P4", "P4"))
    rows = [
        Row(first, f"all() of {number} {name}, each", per["ours"], per["official"], per["floor"],
            "x faster than official", per["official"] / per["ours"], all_faster, at_least=True,
            notes=("", "raw slices")),
        Row(second, f"the same, and five fields of each of {number} {name}", per["five"], per["official five"], None,
            "x faster than official", per["official five"] / per["five"], five_faster, at_least=True),
    ]  # fmt: skip
    if page.kind == "assets":
        beside = Row(first, f"all() of {number} assets, each", per["ours"], per["official"], per["orjson"],
                     "x orjson.loads", per["ours"] / per["orjson"], 0.2, notes=("", "orjson"))  # fmt: skip
        rows.insert(1, beside)
    return rows


def _read(entities: list[Entity], names: tuple[str, ...]) -> list[Entity]:
    for entity in entities:
        for name in names:
            getattr(entity, name)
    return entities


# Memory is measured in a process of its own, as the allocator keeps what others gave back.
_MEMORY = """
import sys, tracemalloc
from tests.benchmarks import reading
page = reading.PAGES[0]
data = page.data(int(sys.argv[1]))
text = data.decode()
session = reading.Session(reading.NOWHERE)
act = {"ours": lambda: reading.adopted(session, page.kind, data), "official": lambda: page.official.from_json(text)}
act = act[sys.argv[2]]
act()
tracemalloc.start()
held = act()
print(tracemalloc.get_traced_memory()[0] / int(sys.argv[1]), len(data) / int(sys.argv[1]))
"""


def _retained(number: int) -> Row:
    ours, size = _child(_MEMORY, "ours", number)
    official, _ = _child(_MEMORY, "official", min(number, 500))
    return Row(
        "P3", f"memory of one of {number} assets", ours / 1e3, official / 1e3, size / 1e3, "KB beyond its bytes",
        (ours - size) / 1e3, 0.6, unit="KB", notes=("", "its bytes"),
    )  # fmt: skip


def _child(source: str, who: str, number: int) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", source, str(number), who], cwd=ROOT, capture_output=True, text=True, check=True
    )
    retained, size = done.stdout.split()
    return float(retained), float(size)


def flat(*, quick: bool) -> tuple[Row, dict[str, list[tuple[int, float]]]]:
    """P12, and the curve: seconds of one asset, from a hundred to ten thousand."""
    numbers = (100, 300) if quick else (100, 300, 1000, 3000, 10_000)
    page, session = PAGES[0], Session(NOWHERE)
    pages = {number: page.data(number) for number in numbers}

    def act(number: int) -> Callable[[], object]:
        def run() -> None:
            # As many in all for each number, so that a short act is not drowned in the clock; none is held.
            for _ in range(max(1, 1000 // number)):
                adopted(session, page.kind, pages[number])

        return run

    taken = interleaved({str(number): act(number) for number in numbers}, 2 if quick else 7, collected=True)
    curve = [(number, taken[str(number)] / max(1, 1000 // number) / number) for number in numbers]
    costs = [cost for _, cost in curve]
    few = [number for number in numbers if number <= 1000]  # its ten thousand take two gigabytes
    official = {str(number): lambda number=number: page.official.from_json(pages[number].decode()) for number in few}
    theirs = interleaved(official, 1 if quick else 3, collected=True)
    line = [(number, theirs[str(number)] / number) for number in few]
    row = Row(
        "P12", f"cost of one of {numbers[-1]} assets, beside the cheapest from {numbers[0]} on", costs[-1], line[-1][1],
        min(costs), "x the cheapest", max(costs) / min(costs), 1.3,
    )  # fmt: skip
    return row, {"pieces_orm": curve, "official client": line}


# What is there before is frozen, so that only what is held is looked through.
_COLLECTION = """
import gc, sys, time
from tests.benchmarks import reading
page = reading.PAGES[0]
data = page.data(int(sys.argv[1]))
text = data.decode()
session = reading.Session(reading.NOWHERE)
gc.collect()
gc.freeze()
act = {"ours": lambda: reading.adopted(session, page.kind, data), "official": lambda: page.official.from_json(text)}
held = act[sys.argv[2]]()
gc.collect()
times = []
for _ in range(5):
    began = time.perf_counter()
    gc.collect()
    times.append(time.perf_counter() - began)
print(sorted(times)[2] / int(sys.argv[1]), 0)
"""


def collection_of_garbage(*, quick: bool) -> Row:
    """P13, second half: one full collection while assets are held."""
    number = 200 if quick else 10_000
    ours = _child(_COLLECTION, "ours", number)[0] * number
    official = _child(_COLLECTION, "official", min(number, 1000))[0] * number
    return Row(
        "P13",
        f"one full collection with {number} assets held",
        ours,
        official,
        None,
        "x official",
        ours / official,
        0.01,
    )
