"""Settings of the embedded server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from attrs import Attribute, field, frozen

from ..errors import UsageError
from .answers import Answers

_Validator = Callable[[Any, "Attribute[Any]", Any], None]


def _takes(words: str, fits: Callable[[Any], object], *, secret: bool = False) -> _Validator:
    """Make a validator from what the setting takes, in words and as a test."""

    def validate(_settings: Settings, setting: Attribute[Any], value: Any) -> None:
        if not fits(value):
            given = "" if secret else f", not {value!r}"
            message = f"The setting {setting.name} takes {words}{given}."
            raise UsageError(message)

    return validate


def _one_of(*allowed: str) -> _Validator:
    return _takes(" or ".join(map(repr, allowed)), lambda value: value in allowed)


def _matches(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _all_match(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(_matches(pattern, each) for each in value)


def _as_tuple(given: Any) -> Any:
    return tuple(given) if isinstance(given, list | set | frozenset) else given


def is_origin(text: str) -> bool:
    """Tell whether a text can be one of `Settings.allow_origins`."""
    return _matches(_ORIGIN, text)


_FLAG = _takes("True or False", lambda value: isinstance(value, bool))
_COUNT = _takes("a whole number, 0 or more", lambda value: type(value) is int and value >= 0)
_DURATION = _takes("a number above 0", lambda value: type(value) in {int, float} and value > 0)
_VERSION = _takes("digits with points between them, such as 12.3.0", lambda value: _matches(r"\d+(\.\d+)+", value))
# A token that no header can carry would lock everybody out.
_TOKEN = _takes(
    "visible ASCII characters without spaces, at least one",
    lambda value: value is None or _matches(r"[!-~]+", value),
    secret=True,
)
# Everybody has a page of some http origin, so that these are named one by one.
_ORIGIN = r"(?!https?://\*)[a-zA-Z][\w+.-]*://(\*|[^/\s*]+)"
_ORIGINS = _takes(
    "a list of origins such as vscode-webview://abc, without a path; vscode-webview://* stands for all of this scheme, "
    "which http and https do not have",
    _all_match(_ORIGIN),
)
_ANSWERS = _takes(
    "a function that answers a question, such as a ChatModel", lambda value: value is None or callable(value)
)
_HOSTS = _takes("a list of host names", _all_match(r"[^/\s]+"))


@frozen
class Settings:
    """Settings of one server. An invalid value raises UsageError, which names the valid ones.

    The second group covers behaviours of Pieces OS that are not documented, so that programs can be tested under each.

    Args:
        version: the version in `/.well-known/version` and `POST /connect`.
        allow_origins: origins that may call besides loopback ones on the server's own port, such as
            `vscode-webview://abc`; compared as a whole. `SCHEME://*` stands for all origins of a scheme other than http
            and https, for programs whose pages have new origins each time.
        allow_foreign_hosts: accept any `Host` header. Without a token, a web page that resolves its own name to this
            machine can then read and write everything.
        token: a secret that every request and every stream must carry as `Authorization: Bearer TOKEN`; others get 401.
            With it the server may listen on any address, and any `Host` is accepted. Visible ASCII, no spaces.
        hosts: names accepted in `Host` besides the loopback names.
        max_body: the largest request body in bytes; larger ones get 413.
        max_held: bytes that the server holds for all connections together: request bodies, and answers and frames that
            clients have not taken. Beyond it bodies get 503 at once, and other requests when there was no room within
            one and a half times `send_timeout`. A single request or answer may be larger.
        stream_backlog: ids that a slow stream may fall behind before it is closed (a client that reconnects gets all
            ids).
        send_timeout: seconds for which a client may take nothing of an answer or a frame (or less than 10 kB a second);
            slower connections are aborted.
        patience: seconds within which a request must arrive, from its first byte to its last (a body gets another
            second per kilobyte); slower connections are closed.
        read_only: refuse everything that would create, change or delete with 403; reads work, and programs can connect.
        nested_members: in a copy nested in another document, leave out relations with more members than this (absent
            means unknown), so that a tag on all assets is not read with all of them for each.
        answers: a function that answers questions, such as a ChatModel: it is called with a Question, in a thread of
            its own, and returns the answer as a text or as an iterable of its pieces. None: a question is answered by
            the sentence that there is no language model.
        answer_timeout: seconds within which an answer must be complete; then it fails.
        second_delete: deleting a deleted material answers the kind's "no such material" status, or succeeds.
        associate_missing: an association or a seed that names an unknown id answers 500, or is ignored.
        associate_twice: an association that exists already succeeds, or answers 500.
        same_path_anchor: creating an anchor with the path of another of its type creates a new one, or returns that
            one.
        update_absent: an update keeps fields that it leaves out, or clears them unless they are required.
        embed_relations: include relations in documents; False includes them only in answers to creations, as Pieces OS
            does from 12.6 on for many.
        batch_reads: offer a batch read for every kind, as Pieces OS does from 12.6 on; False: for the published few.
        extensions: offer the extensions of the wire, which the header `X-Pieces-Orm-Extensions` of every answer names;
            False: know nothing of them, as Pieces OS.
        user: a local user is signed in, or nobody; then everything but health, version, connect and the user answers
            401.
    """

    version: str = field(default="12.3.0", validator=_VERSION)
    allow_origins: tuple[str, ...] = field(default=(), converter=_as_tuple, validator=_ORIGINS)
    allow_foreign_hosts: bool = field(default=False, validator=_FLAG)
    token: str | None = field(default=None, repr=False, validator=_TOKEN)
    hosts: tuple[str, ...] = field(default=(), converter=_as_tuple, validator=_HOSTS)
    max_body: int = field(default=64 * 1024 * 1024, validator=_COUNT)
    max_held: int = field(default=256 * 1024 * 1024, validator=_COUNT)
    send_timeout: float = field(default=30.0, validator=_DURATION)
    stream_backlog: int = field(default=100_000, validator=_COUNT)
    patience: float = field(default=10.0, validator=_DURATION)
    read_only: bool = field(default=False, validator=_FLAG)
    nested_members: int = field(default=200, validator=_COUNT)

    answers: Answers | None = field(default=None, repr=False, validator=_ANSWERS)
    answer_timeout: float = field(default=300.0, validator=_DURATION)
    second_delete: Literal["gone", "ok"] = field(default="gone", validator=_one_of("gone", "ok"))
    associate_missing: Literal["error", "ignore"] = field(default="error", validator=_one_of("error", "ignore"))
    associate_twice: Literal["ok", "error"] = field(default="ok", validator=_one_of("ok", "error"))
    same_path_anchor: Literal["new", "existing"] = field(default="new", validator=_one_of("new", "existing"))
    update_absent: Literal["keep", "clear"] = field(default="keep", validator=_one_of("keep", "clear"))
    embed_relations: bool = field(default=True, validator=_FLAG)
    batch_reads: bool = field(default=True, validator=_FLAG)
    extensions: bool = field(default=True, validator=_FLAG)
    user: Literal["local", "nobody"] = field(default="local", validator=_one_of("local", "nobody"))
