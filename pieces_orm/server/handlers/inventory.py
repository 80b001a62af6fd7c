"""Counts and ids of every kind by one route, and the empty lists of kinds that are not here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NoReturn

import msgspec

from ...wire.kinds import KINDS, Kind, Route, kind
from ...wire.other_kinds import OTHER_KINDS
from ..domain.date_windows import Dates, in_windows
from ..domain.documents import references_text
from ..http.requests import Handler, Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..storage.reader import Page, Selection, Windows
from ..storage.timestamps import normalize_timestamp
from . import models

# Rows that Pieces OS counts among the materials, by the kind under which they are stored.
_STORED = {"USERS": "user", "APPLICATIONS": "application"} | {each.material_type: each.name for each in KINDS.values()}
_MODEL = kind("model", "models", "Model")
# Kinds without rows.
_ABSENT = {each.material_type for each in OTHER_KINDS} | {"INTERNAL_SUMMARY_REPORTS"}
_TYPES = _STORED.keys() | _ABSENT | {_MODEL.material_type}
_MOST = 2**63 - 1  # SQLite takes no larger limit


class _Metrics(msgspec.Struct):
    """Body of POST /materials/metrics."""

    material_type: str
    filters: Dates | None = None


class _Identifiers(Dates, kw_only=True):
    """Body of POST /materials/identifiers."""

    material_type: str
    limit: int | None = None


def routes() -> Iterator[tuple[Route, Handler]]:
    """Yield the routes for all kinds, and those of the kinds that are not here."""
    yield Route("POST", "/materials/metrics"), metrics
    yield Route("POST", "/materials/identifiers"), identifiers
    yield _MODEL.newer_batch, models_batch
    for each in OTHER_KINDS:
        yield each.route("all"), partial(_none, each)
        yield each.route("read"), partial(_missing, each)
        yield each.newer_batch, partial(_none_of, each)


def metrics(request: Request) -> str:
    """Answer how many materials of a type there are, within windows on their dates."""
    body = request.decode(_Metrics)
    name, windows = _known_type(body.material_type), (body.filters or Dates()).windows()
    if name in _STORED:
        with request.service.store.read() as reader:
            total = reader.selected_count(_STORED[name], Selection(windows))
    else:
        total = len(_unstored_ids(name, windows))
    return json_text({"material_type": name, "total_count": total})


def identifiers(request: Request) -> str:
    """Answer the ids of a type, within windows on their dates, the last created first."""
    body = request.decode(_Identifiers)
    name, windows = _known_type(body.material_type), body.windows()
    if body.limit is not None and body.limit < 0:
        raise RequestError(400, f"limit must be 0 or more, not {body.limit}.")
    most = None if body.limit is None else min(body.limit, _MOST)
    if name in _STORED:
        with request.service.store.read() as reader:
            ids = reader.selected_ids(_STORED[name], Selection(windows), Page(most))
    else:
        ids = _unstored_ids(name, windows)[:most]
    return json_text({"material_type": name, "identifiers": ids})


def models_batch(request: Request) -> str:
    """Answer several models, and the ids of those that are not there."""
    key, ids = request.newer_batch_ids(_MODEL)
    known = {each["id"]: each for each in models.all_models()}
    found = [known[id] for id in ids if id in known]
    return json_text({key: {"iterable": found}, "notFound": [id for id in ids if id not in known]})


def _known_type(name: str) -> str:
    if name not in _TYPES:
        raise RequestError(400, f"There is no material_type {name[:60]!r}; there are: {', '.join(sorted(_TYPES))}.")
    return name


def _unstored_ids(name: str, windows: Windows) -> list[str]:
    if name in _ABSENT:
        return []
    dates = {each["id"]: normalize_timestamp(each["created"]["value"]) for each in models.all_models()}
    newest_first = sorted(dates, key=dates.__getitem__, reverse=True)
    return [id for id in newest_first if in_windows(windows, dates[id], dates[id])]


def _none(kind: Kind, _request: Request) -> str:
    return references_text(kind, [])


def _missing(kind: Kind, request: Request) -> NoReturn:
    raise RequestError(kind.missing_status, f"There is no {kind.name} {request.params[kind.parameter]}.")


def _none_of(kind: Kind, request: Request) -> str:
    key, ids = request.newer_batch_ids(kind)
    return json_text({key: {"iterable": [], "indices": {}}, "notFound": ids})
