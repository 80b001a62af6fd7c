"""Health, version, and the applications that connect."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ...values import Platform, Privacy
from ...wire.closed_lists import APPLICATION_NAMES
from ...wire.routes import HEALTH_OK
from ..domain.identity import os_id, signed_in, user_profile
from ..domain.materials import own_keys
from ..domain.schema_check import validated_object
from ..domain.seeds import Seed
from ..http.requests import Request
from ..http.responses import text_response
from ..json_values import json_text
from ..request_errors import RequestError
from ..service import Service
from ..storage.reader import Reader
from ..storage.writer import Writer, new_id

_APPLICATION = "application"


def health_text(service: Service) -> str:
    """Build what health says: `ok:` and the id of this server.

    Raises:
        RequestError: 503 or 507, the database is gone, or its disk fails.
    """
    service.store.check_health()
    with service.store.read() as reader:
        return f"{HEALTH_OK}:{os_id(reader)}"


def health(request: Request) -> Response:
    """Answer that the server is ready."""
    return text_response(health_text(request.service))


def version(request: Request) -> Response:
    """Answer the version that this server passes for."""
    return text_response(request.service.settings.version)


def connect(request: Request) -> str:
    """Introduce an application; the same name is the same application."""
    seed = _application_seed(request.object().get("application"))
    store, settings = request.service.store, request.service.settings
    # A read-only server knows an application only while it answers it.
    with store.read() if store.read_only else store.write() as reader:
        answer = {
            "os": os_id(reader),
            "application": _register(reader, seed),
            "health": {"os": {"id": os_id(reader), "version": settings.version}},
            **({"user": user_profile(reader)} if signed_in(settings) else {}),
        }
    return json_text(answer)


def _application_seed(sent: Any) -> Seed:
    seed = validated_object("SeededTrackedApplication", sent, "application")
    if seed["name"] not in APPLICATION_NAMES:
        raise RequestError(400, f"{seed['name']} is not a valid integration.")
    if not Platform(seed["platform"]).known:
        raise RequestError(400, f"{seed['platform']} is not a platform; there are: {', '.join(sorted(Platform))}.")
    return {key: value for key, value in seed.items() if value is not None and key != "id"}


def _register(reader: Reader, seed: Seed) -> dict[str, Any]:
    """Return the document of an application that connects; a writer stores it."""
    row = reader.labelled(_APPLICATION, seed["name"])
    known = {} if row is None else own_keys(row)
    own = {"privacy": Privacy.OPEN.value, "onboarded": True, **known, **seed}
    id = new_id() if row is None else row.id
    if isinstance(reader, Writer) and row is None:
        reader.create(_APPLICATION, id, json_text(own), label=seed["name"])
    elif isinstance(reader, Writer) and own != known:
        reader.update(_APPLICATION, id, json_text(own), label=seed["name"])
    return {"id": id, **own}


def applications(request: Request) -> str:
    """Answer every application that ever connected."""
    with request.service.store.read() as reader:
        found = [{"id": row.id, **own_keys(row)} for row in reader.rows(_APPLICATION)]
    return json_text({"iterable": found})


def application(request: Request) -> str:
    """Answer one application that ever connected."""
    id = request.params["application"]
    with request.service.store.read() as reader:
        row = reader.row(_APPLICATION, id)
    if row is None:
        raise RequestError(410, f"There is no application {id}.")
    return json_text({"id": id, **own_keys(row)})


def onboarded(request: Request) -> Response:
    """Note whether an application has shown its user around."""
    id, value = request.params["application"], request.decode(bool) if request.body else True
    store = request.service.store
    with store.read() if store.read_only else store.write() as reader:
        row = reader.row(_APPLICATION, id)
        if row is None:
            raise RequestError(400, f"There is no application {id}: connect first.")
        own = own_keys(row) | {"onboarded": value}
        if isinstance(reader, Writer):
            reader.update(_APPLICATION, id, json_text(own), label=own["name"])
    return text_response(id)
