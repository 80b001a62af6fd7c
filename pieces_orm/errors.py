"""Every error that pieces_orm raises on purpose.

PiecesError
  TransportError                the request did not get a whole answer
    NotRunningError             no server there
    RequestTimeout              also a TimeoutError
  ResponseError                 the server answered with an error status
    NotFoundError               also a LookupError
    InvalidRequestError
    NotAuthorizedError
    UpgradeRequiredError
    ServerError
  DecodeError                   also a ValueError: the answer is not what the wire promises
  StateError                    the entity or session cannot do this any more
    DeletedError
    DetachedError
    NotLoadedError
    ConflictError
  UsageError                    the call is wrong, whatever the server says
    InvalidIdError              also a ValueError
    InvalidValueError           also a TypeError and a ValueError
    ReadOnlyFieldError          also an AttributeError
    UnknownRelationError        also a TypeError
    AmbiguousRelationError      also a TypeError
    UnsupportedOperationError
  BatchError                    some of many failed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class PiecesError(Exception):
    """The root of every error of this package."""


class TransportError(PiecesError):
    """The request or its answer was lost on the way; `method` and `path` say which."""

    def __init__(self, message: str, *, method: str = "", path: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.path = path


class NotRunningError(TransportError):
    """No server answered; the message lists what was tried and how to start one."""


class RequestTimeout(TransportError, TimeoutError):
    """The server did not answer in time; raise `timeout` or look at the server."""


class ResponseError(PiecesError):
    """The server answered with an error status; `status` and `body` are what it said."""

    def __init__(self, message: str, *, status: int, body: str, method: str, path: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.method = method
        self.path = path


class NotFoundError(ResponseError, LookupError):
    """The material is gone or never was."""


class InvalidRequestError(ResponseError):
    """The server refuses the request as malformed."""


class NotAuthorizedError(ResponseError):
    """Nobody is signed in to the server, or it refuses this program."""


class UpgradeRequiredError(ResponseError):
    """The server wants an update before it serves data (status 593)."""


class ServerError(ResponseError):
    """The server failed while it handled the request."""


class DecodeError(PiecesError, ValueError):
    """What the server sent is not what the wire promises; the rest of the data stays usable."""

    def __init__(self, message: str, *, kind: str = "", id: str = "", field: str = "", value: Any = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.id = id
        self.field = field
        self.value = value


class StateError(PiecesError):
    """The entity or the session is in a state that does not allow this."""


class DeletedError(StateError):
    """The material was deleted; create it anew if it is still wanted."""


class DetachedError(StateError):
    """The session is closed; open another and get the material there."""


class NotLoadedError(StateError):
    """The field is not known yet and `autoload=False`; call `refresh()` first."""


class ConflictError(StateError):
    """Another program changed the same fields; merge by hand, or `save(overwrite=True)`.

    `base`, `mine` and `theirs` are dicts by field name.
    """

    def __init__(
        self,
        message: str,
        *,
        base: Mapping[str, Any],
        mine: Mapping[str, Any],
        theirs: Mapping[str, Any],
    ) -> None:
        super().__init__(message)
        self.base = dict(base)
        self.mine = dict(mine)
        self.theirs = dict(theirs)


class UsageError(PiecesError):
    """The call itself is wrong; nothing was sent."""


class InvalidIdError(UsageError, ValueError):
    """An id has to be one non-empty path segment."""


class InvalidValueError(UsageError, TypeError, ValueError):
    """A value or argument is not what is taken there; the message says what is."""


class ReadOnlyFieldError(UsageError, AttributeError):
    """The server alone sets this field."""


class UnknownRelationError(UsageError, TypeError):
    """The wire has no association between these kinds."""


class AmbiguousRelationError(UsageError, TypeError):
    """Several relations join these kinds; use one of them explicitly."""


class UnsupportedOperationError(UsageError):
    """The wire has no such operation for this kind."""


class BatchError(PiecesError):
    """Some of many failed: `succeeded` ids are done and applied, `failed` maps id to error."""

    def __init__(self, message: str, *, succeeded: Sequence[str], failed: Mapping[str, Exception]) -> None:
        super().__init__(message)
        self.succeeded = list(succeeded)
        self.failed = dict(failed)
