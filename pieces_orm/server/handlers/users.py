"""The user of this server, who is signed in unless the settings say otherwise."""

from __future__ import annotations

import msgspec

from ...wire.kinds import ANNOTATION, PERSON, kind
from ..domain.date_windows import Dates, in_windows
from ..domain.documents import collection_text
from ..domain.identity import signed_in, user_id, user_profile
from ..domain.materials import own_keys, related_ids
from ..domain.relations import end_of
from ..http.requests import Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..service import Service
from ..storage.reader import Reader, Row

_USER = kind("user", "users", "UserProfile")
_DEFAULT_ANNOTATIONS = 100
# Annotations that only those see who ask for their types.
_HIDDEN_TYPES = ("UNKNOWN", "COMPACTION")


class _AnnotationFilter(Dates):
    types: tuple[str, ...] = ()


class _Annotations(msgspec.Struct):
    """Body of POST /person/{person}/annotations."""

    filter: _AnnotationFilter = msgspec.field(default_factory=_AnnotationFilter)
    limit: int = _DEFAULT_ANNOTATIONS


def profile_frame(service: Service) -> str:
    """Build the frame of the user's stream: the profile, or nothing when nobody is signed in."""
    if not signed_in(service.settings):
        return ""
    with service.store.read() as reader:
        return json_text(user_profile(reader))


def checked_in_frame(service: Service) -> str:
    """Build the frame that says whether the user has to sign in again."""
    return json_text({"needsRefresh": not signed_in(service.settings)})


def user(request: Request) -> str:
    """Answer the signed-in user, if any."""
    profile = profile_frame(request.service)
    return f'{{"user":{profile}}}' if profile else "{}"


def users(request: Request) -> str:
    """Answer every user of this server."""
    return f'{{"iterable":[{profile_frame(request.service)}]}}'


def one_user(request: Request) -> str:
    """Answer one user's profile."""
    with request.service.store.read() as reader:
        profile = user_profile(reader)
    if profile["id"] != request.params["user"] or not signed_in(request.service.settings):
        raise RequestError(410, f"There is no user {request.params['user']}.")
    return json_text(profile)


def users_batch(request: Request) -> str:
    """Answer several users, and the ids of those that are not there."""
    key, ids = request.newer_batch_ids(_USER)
    with request.service.store.read() as reader:
        profile = user_profile(reader)
    found = [profile] if profile["id"] in ids else []
    return json_text({key: {"iterable": found}, "notFound": [id for id in ids if id != profile["id"]]})


def person(request: Request) -> str:
    """Answer the person that a user is."""
    with request.service.store.read() as reader:
        return request.document(reader, PERSON, _person_of(reader, request.params["user"])) or ""


def annotations_of_user(request: Request) -> str:
    """Answer annotations of the person that a user is."""
    with request.service.store.read() as reader:
        return _annotations(request, reader, _person_of(reader, request.params["user"]))


def annotations_of_person(request: Request) -> str:
    """Answer annotations of a person by their types and dates, the last created first."""
    with request.service.store.read() as reader:
        return _annotations(request, reader, request.params["person"])


def _person_of(reader: Reader, user: str) -> str:
    """Return the id of the person with the account of this server's user.

    Raises:
        RequestError: 404, nobody has created one, or this is another user.
    """
    row = reader.labelled(PERSON.name, user) if user == user_id(reader) else None
    if row is None:
        raise RequestError(404, f"There is no person for the user {user}.")
    return row.id


def _annotations(request: Request, reader: Reader, id: str) -> str:
    body = request.decode(_Annotations)
    owner = request.document(reader, PERSON, id)
    if owner is None:
        raise RequestError(404, f"There is no person {id}.")
    windows, types = body.filter.windows(), body.filter.types

    def is_wanted(row: Row) -> bool:
        type = own_keys(row).get("type")
        return (type in types if types else type not in _HIDDEN_TYPES) and in_windows(windows, row.created, row.updated)

    ids = related_ids(reader, end_of(PERSON, "annotations"), PERSON, id)
    rows = [row for row in reader.rows(ANNOTATION.name, ids) if is_wanted(row)] if ids else []
    rows.sort(key=lambda row: (row.created, row.seq), reverse=True)
    wanted = [row.id for row in rows[: max(body.limit, 0)]]
    found = request.service.documents(reader).some(ANNOTATION, wanted)
    return f'{{"person":{owner},"annotations":{collection_text(ANNOTATION, wanted, found.values())}}}'
