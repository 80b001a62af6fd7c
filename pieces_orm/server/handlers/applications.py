"""Who is there: the server itself, its user, the applications that connected, and the models they can name."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from starlette.responses import Response

from ..domain.documents import text_of
from ..domain.seeds import Seed
from ..http.answers import Call, RefusedError, json_answer, text_answer
from ..service import Service
from ..storage.reader import Reader
from ..storage.writer import Writer, new_id

APPLICATION, USER, OS = "application", "user", "os"

# The members of ApplicationNameEnum.
_NAMES = """
    SUBLIME VS_CODE JETBRAINS FIREFOX_ADDON_MV2 FIREFOX_ADDON_MV3 SAFARI_EXTENSION_MV2 SAFARI_EXTENSION_MV3
    PIECES_FOR_DEVELOPERS PIECES_FOR_DEVELOPERS_CLI OS_SERVER GOOGLE_CHROME_EXTENSION_MV2
    GOOGLE_CHROME_EXTENSION_MV3 ULTRA_EDIT ATOM_PACKAGE ADOBE_ILLUSTRATOR_PIECES_COLOR_SHARE MICROSOFT_TEAMS
    CHAT_GPT OBSIDIAN JUPYTER_HUB VISUAL_STUDIO MICROSOFT_EDGE BRAVE GOOGLE_CHAT SLACK AZURE_DATA_STUDIO OPEN_SOURCE
    R_STUDIO VIM NOTION GITHUB_DESKTOP RAYCAST REPLIT ALFRED FIGMA SKETCH ADOBE_ILLUSTRATOR NOTEPAD_PLUS_PLUS
    EMBEETLE ECLIPSE X_CODE NETBEANS OPERA PIECES_SAVED_MATERIALS_APPLET PIECES_SETTINGS_APPLET
    PIECES_WORKSTREAM_ACTIVITY_APPLET PIECES_OS_TOOLBAR_APPLET PIECES_COPILOT_APPLET MCP_CLIENT
"""
_APPLICATION_NAMES = frozenset(_NAMES.split())
_PLATFORMS = frozenset({"UNKNOWN", "WEB", "MACOS", "LINUX", "WINDOWS", "FUCHSIA", "IOS", "ANDROID"})

# Names that programs ask for; nothing here runs a model. (name, foundation, provider)
_MODELS = (
    ("GPT-3.5-turbo Chat Model", "GPT_3.5", "OPENAI"),
    ("GPT-4o Chat Model", "GPT_LATEST", "OPENAI"),
    ("Claude Sonnet Chat Model", "CLAUDE_LATEST", "ANTHROPIC"),
    ("Gemini Flash Chat Model", "GEMINI_LATEST", "GOOGLE"),
)
_EPOCH = "2024-01-01T00:00:00.000000Z"


def _model(name: str, foundation: str, provider: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"pieces_orm/models/{name}")),
        "name": name,
        "version": "1.0.0",
        "created": {"value": _EPOCH},
        "cloud": True,
        "downloaded": False,
        "type": "BALANCED",
        "usage": "CODE_CONVERSATION",
        "foundation": foundation,
        "provider": provider,
    }


MODELS = {model["id"]: model for model in (_model(*row) for row in _MODELS)}


def _decoded(document: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document)
    return found


def found(service: Service) -> None:
    """Give a new database its identity and its user."""
    with service.store.write() as writer:
        for kind in (OS, USER):
            if not writer.ids(kind):
                writer.create(kind, new_id(), "{}")


def os_id(reader: Reader) -> str:
    """The id of this server; it stays with the database."""
    return reader.ids(OS)[0]


def _user(reader: Reader) -> dict[str, Any]:
    row = reader.rows(USER)[0]
    return {
        "id": row.id,
        "name": "Local user",
        "username": "local",
        "created": {"value": row.created},
        "updated": {"value": row.updated},
        "aesthetics": {"theme": {"dark": False}, "font": {"size": 14}},
    }


def health_text(service: Service) -> str:
    """`ok:<id>`."""
    with service.store.read() as reader:
        return f"ok:{os_id(reader)}"


def user_text(service: Service) -> str:
    """The user's profile."""
    with service.store.read() as reader:
        return text_of(_user(reader))


def health(call: Call) -> Response:
    """The server is alive and ready."""
    return text_answer(health_text(call.service))


def version(call: Call) -> Response:
    """The version this server passes for."""
    return text_answer(call.service.settings.version)


def connect(call: Call) -> Response:
    """Introduce an application; the same name is the same application."""
    seed = call.object().get("application")
    if not isinstance(seed, dict):
        raise RefusedError(400, "The body lacks application.")
    _check_application(seed)
    store = call.service.store
    # A server that only reads knows an application for as long as it answers it.
    with store.rehearse() if store.read_only else store.write() as writer:
        application = _register(writer, seed)
        answer = {
            "os": os_id(writer),
            "application": application,
            "health": {"os": {"id": os_id(writer), "version": call.service.settings.version}},
            **({"user": _user(writer)} if signed_in(call.service) else {}),
        }
    return json_answer(text_of(answer))


def _check_application(seed: Seed) -> None:
    missing = [name for name in ("name", "version", "platform") if not isinstance(seed.get(name), str)]
    if missing:
        raise RefusedError(400, f"application lacks {', '.join(missing)}.")
    if seed["name"] not in _APPLICATION_NAMES:
        raise RefusedError(400, f"{seed['name']} is not a valid integration.")
    if seed["platform"] not in _PLATFORMS:
        raise RefusedError(400, f"{seed['platform']} is not a platform; there are: {', '.join(sorted(_PLATFORMS))}.")


def _register(writer: Writer, seed: Seed) -> dict[str, Any]:
    row = writer.labelled(APPLICATION, seed["name"])
    known = {} if row is None else _decoded(row.document)
    own = {"privacy": "OPEN", "onboarded": True, **known, **{key: seed[key] for key in seed if seed[key] is not None}}
    own.pop("id", None)
    id = new_id() if row is None else row.id
    if row is None:
        writer.create(APPLICATION, id, text_of(own), label=seed["name"])
    elif own != known:
        writer.update(APPLICATION, id, text_of(own), label=seed["name"])
    return {"id": id, **own}


def applications(call: Call) -> Response:
    """Every application that ever connected."""
    with call.service.store.read() as reader:
        rows = reader.rows(APPLICATION)
    return json_answer(text_of({"iterable": [{"id": row.id, **_decoded(row.document)} for row in rows]}))


def models(_call: Call) -> Response:
    """The models that messages and summaries can name."""
    return json_answer(text_of({"iterable": list(MODELS.values())}))


def model(call: Call) -> Response:
    """One model."""
    found_model = MODELS.get(call.params["model"])
    if found_model is None:
        raise RefusedError(410, f"There is no model {call.params['model']}.")
    return json_answer(text_of(found_model))


def signed_in(service: Service) -> bool:
    """Whether there is a user: without a cloud there always is, unless the settings want to try it otherwise."""
    return service.settings.user == "local"


def user(call: Call) -> Response:
    """The signed-in user, if any."""
    return json_answer(f'{{"user":{user_text(call.service)}}}' if signed_in(call.service) else "{}")


def user_frame(service: Service) -> str:
    """What the user's stream says: the profile, or nothing when nobody is signed in."""
    return user_text(service) if signed_in(service) else ""


def checked_in(service: Service) -> str:
    """Whether the user has to sign in again: never, where there is no cloud."""
    return text_of({"needsRefresh": not signed_in(service)})


def users(call: Call) -> Response:
    """Everybody who is known here."""
    return json_answer(f'{{"iterable":[{user_text(call.service)}]}}' if signed_in(call.service) else '{"iterable":[]}')


def one_user(call: Call) -> Response:
    """One user's profile."""
    with call.service.store.read() as reader:
        profile = _user(reader)
    if profile["id"] != call.params["user"] or not signed_in(call.service):
        raise RefusedError(410, f"There is no user {call.params['user']}.")
    return json_answer(text_of(profile))
