"""A request as handlers see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from attrs import frozen
from starlette.responses import Response

from ...wire.kinds import Kind
from ..json_values import MAX_LEVELS, is_too_deep, object_in, referenced_id
from ..request_errors import RequestError
from ..service import Service
from ..storage.reader import Reader

T = TypeVar("T")
_TOO_DEEP = f"The body is nested too deeply: send at most {MAX_LEVELS} levels of objects and lists within each other."


class Reference(msgspec.Struct):
    """A reference to a material within a body."""

    id: str


@frozen
class Request:
    """One request: the decoded path parameters, the query and the undecoded body."""

    service: Service
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a boolean query parameter."""
        text = self.query.get(name)
        return default if text is None else text.lower() in {"true", "1"}

    def number(self, name: str) -> int | None:
        """Read a query parameter as a whole number; None when it is absent or malformed."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    @property
    def contents(self) -> bool:
        """True when documents in the response carry contents; format routes spell the parameter without its s."""
        return self.flag("transferables", default=self.flag("transferable", default=True))

    @property
    def is_unique(self) -> bool:
        """True when a creation is not to repeat a natural key, an extension of the wire."""
        return self.service.settings.extensions and self.flag("unique", default=False)

    def decode(self, type: type[T]) -> T:
        """Decode the JSON body into a type.

        Raises:
            RequestError: 400, the body is not JSON, or does not fit the type.
        """
        try:
            return msgspec.json.decode(self.body, type=type)
        except msgspec.ValidationError as error:
            raise RequestError(400, f"The body is invalid: {error}.") from None
        except RecursionError:
            raise RequestError(400, _TOO_DEEP) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RequestError(400, f"The body is not JSON: {error}.") from None

    def object(self) -> dict[str, Any]:
        """Decode the body as a JSON object.

        Raises:
            RequestError: 400, it is something else, or nested too deeply.
        """
        body = self.decode(dict[str, Any])
        if is_too_deep(body):
            raise RequestError(400, _TOO_DEEP)
        return body

    def newer_batch_ids(self, kind: Kind) -> tuple[str, list[str]]:
        """Return what `batch_ids` does, on a route that only newer servers have.

        Raises:
            RequestError: 404, the settings make this an older one.
        """
        if not self.service.settings.batch_reads:
            raise RequestError(404, "There is no such route.")
        return self.batch_ids(kind)

    def batch_ids(self, kind: Kind) -> tuple[str, list[str]]:
        """Return the ids that the body of a batch read asks for, and the key under which it has them.

        Raises:
            RequestError: 400, the body has none of the keys of the kind, or something without an id.
        """
        body = self.object()
        key = next((key for key in kind.batch_keys if key in body), kind.batch_keys[0])
        asked = object_in(body, key).get("iterable")
        if not isinstance(asked, list):
            raise RequestError(400, f'The body must be {{"{key}": {{"iterable": [{{"id"}}]}}}}.')
        return key, list(dict.fromkeys(map(referenced_id, asked)))

    def document(self, reader: Reader, kind: Kind, id: str, *, created: bool = False) -> str | None:
        """Build the document of one material, with contents as the query asks; None when there is no such material.

        Args:
            created: this request created the material, so that relations are embedded whatever the settings say.
        """
        return self.service.documents(reader, contents=self.contents, created=created).one(kind, id)


Handler = Callable[[Request], str | Response]
"""Answers a request with JSON text, or with any other response."""

AsyncHandler = Callable[[Request], Awaitable[str]]
"""Answers with JSON text from the event loop, because it waits for something slow that is no work of this process."""
