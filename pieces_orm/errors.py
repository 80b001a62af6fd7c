"""The errors that pieces_orm raises on purpose.

PiecesError
  TransportError                the request or its answer was lost on the way
    NotRunningError             no server answered
      NotTriedError             no server answered another one of many
      DatabaseLockedError       another server has the database file open
    RequestTimeout              also a TimeoutError
    AnswerTooLargeError         more came than `max_answer`
  ResponseError                 the server answered with an error status
    NotFoundError               also a KeyError
    InvalidRequestError
    NotAuthorizedError
    UpgradeRequiredError
    ServerError
  DecodeError                   also a ValueError: the answer breaks the rules of the wire
  StateError                    the state of the entity or session does not allow the call
    DeletedError
    DetachedError
    NotLoadedError
    ConflictError
  UsageError                    the call is wrong; nothing was sent
    InvalidIdError              also a ValueError
    InvalidValueError           also a TypeError and a ValueError
    ReadOnlyFieldError          also an AttributeError
    UnknownRelationError        also a TypeError
    AmbiguousRelationError      also a TypeError
    UnsupportedOperationError
  BatchError                    some of several operations failed
  SeveralFoundError             also a LookupError: there are several where one was asked for
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "AmbiguousRelationError", "AnswerTooLargeError", "BatchError", "ConflictError", "DatabaseLockedError",
    "DecodeError", "DeletedError", "DetachedError", "InvalidIdError", "InvalidRequestError", "InvalidValueError",
    "NotAuthorizedError", "NotFoundError", "NotLoadedError", "NotRunningError", "NotTriedError", "PiecesError",
    "ReadOnlyFieldError", "RequestTimeout", "ResponseError", "ServerError", "SeveralFoundError", "StateError",
    "TransportError", "UnknownRelationError", "UnsupportedOperationError", "UpgradeRequiredError", "UsageError",
]  # fmt: skip


def printable(text: str, keep: str = "") -> str:
    """Escape what cannot be printed, such as control characters and changes of direction.

    Args:
        keep: characters that stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else repr(char)[1:-1] for char in text)


class PiecesError(Exception):
    """The base class of all errors of this package; all of them pickle and copy.

    `created` is the entity that the failed call has made all the same, or None. An entity cannot leave its session, so
    a pickled or copied error has None there; its message names the id.
    """

    created: Any = None

    def __str__(self) -> str:
        """Return the message, safe to print: a server's words in it may be commands of a terminal."""
        # Not that of a KeyError, which would be quoted.
        return printable(Exception.__str__(self), keep="\n")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by arguments and attributes: `__init__`, which may want others, is not called again."""
        kept = {name: value for name, value in vars(self).items() if name != "created"}
        return _restored, (type(self), self.args), kept


def _restored(cls: type[PiecesError], args: tuple[Any, ...]) -> PiecesError:
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class TransportError(PiecesError):
    """The request or its answer was lost on the way; `method` and `path` name the request."""

    def __init__(self, message: str, *, method: str = "", path: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.path = path


class NotRunningError(TransportError):
    """No server can be used; the message begins with the cause and its remedy, and lists what was tried."""


class NotTriedError(NotRunningError):
    """One of several operations was not tried, because no server answered another; nothing was sent for it."""


class DatabaseLockedError(NotRunningError):
    """Another server has the database file open: connect to that server, stop it, or name another file.

    `database` is the path of the file.
    """

    def __init__(self, message: str, *, database: str) -> None:
        super().__init__(message)
        self.database = database


class RequestTimeout(TransportError, TimeoutError):
    """The server did not answer in time; increase `timeout`, or check the server."""


class AnswerTooLargeError(TransportError):
    """The server sent more than `max_answer` bytes; if you trust it, pass a larger `max_answer` to `connect()`."""


class ResponseError(PiecesError):
    """The server answered with an error status; `status` and `body` are those of its answer."""

    def __init__(self, message: str, *, status: int, body: str, method: str, path: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.method = method
        self.path = path


class NotFoundError(ResponseError, KeyError):
    """The material was deleted or never existed."""


class InvalidRequestError(ResponseError):
    """The server rejected the request as malformed."""


class NotAuthorizedError(ResponseError):
    """The server does not accept this program, or nobody is signed in there."""


class UpgradeRequiredError(ResponseError):
    """The server must be updated before it serves data (status 593)."""


class ServerError(ResponseError):
    """The server failed while handling the request."""


class DecodeError(PiecesError, ValueError):
    """The server sent data that breaks the rules of the wire; the rest of its answer stays usable."""

    def __init__(self, message: str, *, kind: str = "", id: str = "", field: str = "", value: Any = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.id = id
        self.field = field
        self.value = value


class StateError(PiecesError):
    """The state of the entity or session does not allow the call."""


class DeletedError(StateError):
    """The material was deleted; create a new one if you still need it."""


class DetachedError(StateError):
    """The session is closed; open another session and get the material there."""


class NotLoadedError(StateError):
    """The field is not loaded and the session has `autoload=False`; call `refresh()` first."""


class ConflictError(StateError):
    """Another program changed the same fields; merge the values, or call `save(overwrite=True)`.

    `base`, `mine` and `theirs` map the names of these fields to their values.
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
    """The call is wrong; nothing was sent."""


class InvalidIdError(UsageError, ValueError):
    """The id is not one non-empty path segment without slashes."""


class InvalidValueError(UsageError, TypeError, ValueError):
    """A value or argument is of the wrong type or out of range; the message names what is accepted."""


class ReadOnlyFieldError(UsageError, AttributeError):
    """Only the server sets this field."""


class UnknownRelationError(UsageError, TypeError):
    """No association joins these two kinds."""


class AmbiguousRelationError(UsageError, TypeError):
    """Several relations join these two kinds; call `add()` or `remove()` of the one that you mean."""


class UnsupportedOperationError(UsageError):
    """The server has no such operation for this kind."""


class BatchError(PiecesError):
    """Some of several operations failed: `succeeded` lists the ids that are done, `failed` maps ids to errors.

    When no server answers any more, the error of those that were not tried is a NotTriedError.
    """

    def __init__(self, message: str, *, succeeded: Sequence[str], failed: Mapping[str, Exception]) -> None:
        super().__init__(message)
        self.succeeded = list(succeeded)
        self.failed = dict(failed)


class SeveralFoundError(PiecesError, LookupError):
    """Several materials are found where one was asked for; `ids` names them, of a query the first two.

    Pass the one that you mean; of a query, add conditions or call `first()`.
    """

    def __init__(self, message: str, *, ids: Sequence[str]) -> None:
        super().__init__(message)
        self.ids = list(ids)
