"""The extensions of the wire: parts of a large collection, and many creations and associations in few requests."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pieces_orm
from pieces_orm.server import Server, Settings
from pieces_orm.wire import extensions
from pieces_orm.wire.kinds import ASSET

from .measuring import Row, interleaved

_QUERY = {
    "where": [
        {"key": extensions.LANGUAGE_KEY, "type": "text", "is": "py"},
        {"key": "favorited", "type": "boolean", "is": True},
    ],
    "limit": 20,
    "answer": "documents",
}


def measure(*, quick: bool) -> list[Row]:
    """P16: twenty of many assets beside twenty of few, and many creations beside one request for each."""
    few, many = (40, 200) if quick else (500, 10_000)
    with _served(extended=True) as small, _served(extended=True) as large:
        _fill(small, few)
        _fill(large, many)
        return [
            _part("latest(20)", small, large, many, lambda session: session.assets.latest(20), repeats=5),
            _part("query for 20", small, large, many, _query, repeats=5),
            *_writing(100 if quick else 5000, 50 if quick else 1000, 1 if quick else 3),
        ]


@contextmanager
def _served(*, extended: bool) -> Iterator[pieces_orm.Session]:
    with (
        TemporaryDirectory() as folder,
        Server(Path(folder) / "materials.db", settings=Settings(extensions=extended)) as server,
        pieces_orm.connect(server.url) as session,
    ):
        _ = session.application
        yield session


def _items(number: int) -> list[dict[str, object]]:
    return [
        {"content": f"def tide_{n}(hour):\n    return {n} * hour\n", "name": f"tide {n}", "language": "py"}
        for n in range(number)
    ]


def _fill(session: pieces_orm.Session, number: int) -> None:
    """Make assets, every tenth a favourite."""
    for asset in session.assets.create_many(_items(number))[::10]:
        asset.favorited = True
        asset.save()


def _query(session: pieces_orm.Session) -> object:
    return session.request("POST", extensions.query_route(ASSET).path, body=_QUERY)


def _part(
    work: str,
    small: pieces_orm.Session,
    large: pieces_orm.Session,
    many: int,
    ask: Callable[[pieces_orm.Session], object],
    *,
    repeats: int,
) -> Row:
    taken = interleaved({"few": lambda: ask(small), "many": lambda: ask(large)}, repeats)
    return Row(
        "P16", f"{work} of {many:,} assets", taken["many"], None, taken["few"], "x of few assets",
        taken["many"] / taken["few"], 2, notes=("", "of few assets"),
    )  # fmt: skip


def _writing(assets: int, tags: int, repeats: int) -> list[Row]:
    times: dict[tuple[str, bool], list[float]] = {}
    for _ in range(repeats):
        for extended in (True, False):
            with _served(extended=extended) as session:
                made = _taken(times, "create", extended, lambda s=session: s.assets.create_many(_items(assets)))
                anchor = session.anchors.create("/projects/tide-tables")
                _taken(times, "associate", extended, lambda a=anchor, m=made: a.associate(*m[:tags]))
    rows = []
    for what, work in (
        ("create", f"create_many of {assets:,} assets"),
        ("associate", f"associate with {tags:,} assets"),
    ):
        ours, alone = (statistics.median(times[what, extended]) for extended in (True, False))
        rows.append(
            Row(
                "P16",
                work,
                ours,
                None,
                alone,
                "x one request each",
                ours / alone,
                1 / 3,
                notes=("", "one request each"),
            )
        )
    return rows


def _taken(times: dict[tuple[str, bool], list[float]], what: str, extended: bool, act: Callable[[], object]) -> object:
    began = time.perf_counter()
    found = act()
    times.setdefault((what, extended), []).append(time.perf_counter() - began)
    return found
