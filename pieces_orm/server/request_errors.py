"""The error that turns a request down, raised anywhere below the handlers."""

from __future__ import annotations


class RequestError(Exception):
    """A request that cannot be served: the HTTP status, and one sentence for the client."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
