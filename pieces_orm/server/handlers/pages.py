"""The ids that a collection or identifiers route is asked for: all, those of a filter, or a page of either."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import Response

from ...wire.extensions import NEWEST_FIRST, OLDEST_FIRST, TOTAL_HEADER
from ...wire.kinds import Kind, Verb
from ..domain.date_windows import queried_windows
from ..http.requests import Request
from ..http.responses import json_response
from ..request_errors import RequestError
from ..storage import reader
from ..storage.reader import Page, Reader, Selection


def asked_ids(kind: Kind, verb: Verb, request: Request, reading: Reader) -> tuple[list[str], int | None]:
    """Return the ids that a request asks for, and for a page the number of all.

    Raises:
        RequestError: 400, it asks for no page that can be.
    """
    known = kind.route(verb).query
    selection = Selection(
        queried_windows(request.query),
        pseudo="pseudo" not in known or request.flag("pseudo", default=False),
        type=request.query.get("annotation_type_filter") if "annotation_type_filter" in known else None,
    )
    if not request.service.settings.extensions:
        page, is_page = Page(request.number("limit") if "limit" in known else None), False
    else:
        page, is_page = _page(request, known), "limit" in request.query
    ids = reading.selected_ids(kind.name, selection, page)
    return ids, reading.selected_count(kind.name, selection) if is_page else None


def page_response(text: str, total: int | None) -> Response:
    """Build the response with a page."""
    response = json_response(text)
    if total is not None:
        response.headers[TOTAL_HEADER] = str(total)
    return response


def _page(request: Request, known: Collection[str]) -> Page:
    order = request.query.get("order", NEWEST_FIRST)
    if order not in (NEWEST_FIRST, OLDEST_FIRST):
        raise RequestError(400, f"order must be {NEWEST_FIRST} or {OLDEST_FIRST}, not {order[:40]!r}.")
    limit, offset = (_count(request, name, known) for name in ("limit", "offset"))
    return Page(limit, offset or 0, reader.NEWEST_FIRST if order == NEWEST_FIRST else reader.OLDEST_FIRST)


def _count(request: Request, name: str, known: Collection[str]) -> int | None:
    count = request.number(name)
    # In Pieces OS, what is no number does not limit.
    if count is None and name in request.query and name not in known:
        raise RequestError(400, f"{name} must be a whole number, 0 or more, not {request.query[name][:40]!r}.")
    return count
