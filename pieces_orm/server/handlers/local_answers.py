"""Answers to calls about accounts, the cloud and captured activity, none of which this server has.

Programs make them while they start or are set up, and go on when the answer is that the user is local and that
nothing is captured.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from starlette.responses import Response

from ...wire.kinds import Route
from ..domain.identity import user_id, user_profile
from ..http.requests import Handler, Request
from ..http.responses import text_response
from ..json_values import json_text

_PROCESSORS = "/workstream_pattern_engine/processors"
# A processor is off for good; `activation` would mean that it runs.
_OFF = {"deactivation": {"continuous": True}}
# The one status for no cloud that clients of every version know.
_UNKNOWN = "UNKNOWN"


def routes() -> Iterator[tuple[Route, Handler]]:
    """Yield the routes of this module."""
    yield Route("POST", "/os/sign_in"), sign_in
    yield Route("POST", "/os/sign_out"), sign_out
    yield Route("POST", "/allocations/connect"), connect_cloud
    yield Route("POST", "/allocations/disconnect"), disconnect_cloud
    yield Route("GET", "/os/permissions"), permissions
    yield Route("POST", "/os/permissions/request"), permissions
    yield Route("GET", f"{_PROCESSORS}/status"), processors_status
    yield Route("GET", f"{_PROCESSORS}/vision/status"), vision_status
    for verb in ("activate", "deactivate"):
        yield Route("POST", f"{_PROCESSORS}/vision/{verb}"), vision_status
        yield Route("POST", f"{_PROCESSORS}/{{processor}}/{verb}"), processors_status
    yield Route("POST", "/{application}/track"), tracked


def sign_in(request: Request) -> str:
    """Answer the local user, who is signed in already."""
    with request.service.store.read() as reader:
        return json_text(user_profile(reader))


def sign_out(request: Request) -> str:
    """Answer the local user, who stays signed in."""
    with request.service.store.read() as reader:
        return json_text({"iterable": [user_profile(reader)]})


def connect_cloud(request: Request) -> str:
    """Answer a place in the cloud that is not connected."""
    with request.service.store.read() as reader:
        user = user_id(reader)
    nowhere = {"status": _UNKNOWN, "url": ""}
    answer = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"pieces_orm/allocations/{user}")),
        "user": user,
        "project": "local",
        "status": {"cloud": _UNKNOWN},
        "urls": {"base": nowhere, "id": nowhere},
    }
    return json_text(answer)


def disconnect_cloud(_request: Request) -> Response:
    """Answer that there is no cloud."""
    return text_response("The user is local: there is no cloud.")


def permissions(_request: Request) -> str:
    """Answer that no permission of the system is missing, as none is needed; programs wait for missing ones."""
    return json_text({"processing": {"vision": True, "accessibility": True}})


def vision_status(_request: Request) -> str:
    """Answer that the screen is not captured, whatever was asked for."""
    return vision_text()


def vision_text() -> str:
    """Build the status of the capture of the screen, which is also the frame of its stream."""
    return json_text({"vision": _OFF})


def processors_status(_request: Request) -> str:
    """Answer that nothing is captured, whatever was asked for."""
    return processors_text()


def processors_text() -> str:
    """Build the status of everything that could be captured, which is also the frame of its stream."""
    return json_text({"vision": _OFF, "clipboard": _OFF})


def tracked(_request: Request) -> Response:
    """Answer that a program's report on its use is not kept."""
    return text_response("Nothing is tracked.")
