"""What can be chosen about the embedded server."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from typing import Any, Literal

from attrs import Attribute, field, fields, frozen

from ..errors import UsageError


def _token(token: Any) -> bool:
    # What a header cannot carry would lock everybody out.
    return isinstance(token, str) and bool(re.fullmatch(r"[!-~]+", token))


def _origin(origin: Any) -> bool:
    return isinstance(origin, str) and bool(re.fullmatch(r"[a-zA-Z][\w+.-]*://[^/\s]+", origin))


def _host(host: Any) -> bool:
    return isinstance(host, str) and bool(re.fullmatch(r"[^/\s]+", host))


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


_Check = tuple[str, Callable[[Any], bool]]
# What a setting takes, in words, and whether a value is that; by the type of the setting, or by its name.
_CHECKS: dict[Any, _Check] = {
    bool: ("True or False", lambda value: isinstance(value, bool)),
    int: ("a whole number, 0 or more", lambda value: _is(int, value) and value >= 0),
    float: ("a number above 0", lambda value: (_is(int, value) or _is(float, value)) and value > 0),
    "version": ("digits with points between them, such as 12.3.0",
                lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d+(\.\d+)+", value))),
    "token": ("visible ASCII characters without spaces, at least one", lambda value: value is None or _token(value)),
    "allow_origins": ("a list of origins such as vscode-webview://abc, without a path",
                      lambda value: isinstance(value, tuple) and all(_origin(each) for each in value)),
    "hosts": ("a list of host names", lambda value: isinstance(value, tuple) and all(_host(each) for each in value)),
}  # fmt: skip


def _many(given: Any) -> Any:
    return tuple(given) if isinstance(given, list | set | frozenset) else given


def _check(setting: Attribute[Any], hint: Any, value: Any) -> None:
    if typing.get_origin(hint) is Literal:
        allowed = typing.get_args(hint)
        words, is_good = " or ".join(map(repr, allowed)), value in allowed
    else:
        words, test = _CHECKS.get(setting.name) or _CHECKS[hint]
        is_good = test(value)
    if not is_good:
        said = "" if setting.name == "token" else f", not {value!r}"
        message = f"The setting {setting.name} takes {words}{said}."
        raise UsageError(message)


@frozen
class Settings:
    """The choices of one server; one that cannot be is a UsageError that names what can.

    The second group holds behaviours of Pieces OS that nobody outside knows; programs can be tried under each answer.

    Args:
        version: what `/.well-known/version` and `POST /connect` say.
        allow_origins: origins that may call besides loopback ones on the server's own port, such as
            `vscode-webview://abc`; compared as a whole.
        allow_foreign_hosts: accept any `Host` header. Without a token a web page that resolves its own name to this
            machine can then read and write everything.
        token: a secret that every request and every stream has to carry, as `Authorization: Bearer TOKEN`; others get
            401. With it the server may listen on any address, and any `Host` is accepted. Visible ASCII, no spaces.
        hosts: names accepted in `Host` besides the loopback names.
        max_body: bytes a request body may have; beyond that 413.
        stream_backlog: ids a slow stream may fall behind before it is closed (a client that reconnects gets all ids).
        patience: seconds in which a request has to come to its end, from its first byte to its last (a body has a
            second more for each kilobyte); slower connections are dropped.
        read_only: refuse everything that would create, change or delete with 403; what only reads works, and programs
            can connect.
        nested_members: in a document nested in an asset, a relation with more members than this is left out (absent
            means unknown), so that one tag on all assets does not make their snapshot grow with the square.
        second_delete: deleting what was deleted before: the kind's "no such material" status, or success.
        associate_missing: an association, or a seed, that names an unknown id: 500, or success without an edge.
        associate_twice: an association that is there already: success, and one edge, or 500.
        same_path_anchor: creating an anchor whose path another anchor of its type has: a new one, or that one.
        update_absent: fields that an update leaves out keep their values, or are cleared unless they are required.
        embed_relations: documents carry their relations; False leaves them out of all but the answers to a creation,
            as Pieces OS from 12.6 does for many.
        user: who is signed in: a user of this server, or nobody; then everything but health, version, connect and the
            user answers 401.
        batch_reads: every kind has a batch read, as nearly every one has from 12.6; False: the published few have.
    """

    version: str = "12.3.0"
    allow_origins: tuple[str, ...] = field(default=(), converter=_many)
    allow_foreign_hosts: bool = False
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = field(default=(), converter=_many)
    max_body: int = 64 * 1024 * 1024
    stream_backlog: int = 100_000
    patience: float = 10.0
    read_only: bool = False
    nested_members: int = 200

    second_delete: Literal["gone", "ok"] = "gone"
    associate_missing: Literal["error", "ignore"] = "error"
    associate_twice: Literal["ok", "error"] = "ok"
    same_path_anchor: Literal["new", "existing"] = "new"
    update_absent: Literal["keep", "clear"] = "keep"
    embed_relations: bool = True
    batch_reads: bool = True
    user: Literal["local", "nobody"] = "local"

    def __attrs_post_init__(self) -> None:
        hints = typing.get_type_hints(Settings)
        for setting in fields(Settings):
            _check(setting, hints[setting.name], getattr(self, setting.name))
