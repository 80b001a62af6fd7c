"""Bodies of answers: read in pieces, decompressed, and never more than a number of bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from urllib3 import BaseHTTPResponse

from .pacing import OversizeError

PIECE_BYTES = 1_000_000
# An answer that says its length, up to this, is read at once: pieces cost as much again, to be put together.
WHOLE_BYTES = 64 * 2**20
# Of an error's answer no more is read: its status and its first words say what there is to say.
MAX_ERROR_BYTES = 1_000_000
# Answers are asked for uncompressed. One that comes compressed, where a few kilobytes become megabytes, may have this
# part of the bytes of others.
COMPRESSED_PART = 8
# zlib's window size for both formats, recognised by their first bytes.
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_PLAIN = ("", "identity")
_COMPRESSED = ("gzip", "x-gzip", "deflate")


def whole(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    """Return a whole body.

    Raises:
        OversizeError: it is larger than `largest` says. ValueError: it cannot be decompressed.
    """
    length = response.length_remaining
    if length is not None and length <= min(WHOLE_BYTES, max_bytes) and _encoding(response) in _PLAIN:
        return response.read()
    return b"".join(pieces(response, max_bytes))


def beginning(response: BaseHTTPResponse) -> bytes:
    """Return the first `MAX_ERROR_BYTES` of a body, or what can be decompressed of it; the rest is never read."""
    found = bytearray()
    try:
        for piece in _decompressed(response):
            found += piece
            if len(found) >= MAX_ERROR_BYTES:
                response.close()
                break
    except ValueError:
        response.close()
    return bytes(found[:MAX_ERROR_BYTES])


def largest(response: BaseHTTPResponse, max_bytes: int) -> int:
    """Return the bytes that a body may have: a part of `max_bytes` where it comes compressed, unasked."""
    return max_bytes if _encoding(response) in _PLAIN else max_bytes // COMPRESSED_PART


def pieces(response: BaseHTTPResponse, max_bytes: int) -> Iterator[bytes]:
    """Yield a body in pieces, decompressed, as they come.

    Raises:
        OversizeError: it is larger than `largest` says. ValueError: it cannot be decompressed.
    """
    most = largest(response, max_bytes)
    if (response.length_remaining or 0) > most:
        raise OversizeError(most)
    count = 0
    for piece in _decompressed(response):
        count += len(piece)
        if count > most:
            raise OversizeError(most)
        if piece:
            yield piece


def _encoding(response: BaseHTTPResponse) -> str:
    return response.headers.get("content-encoding", "").strip().lower()


def _decompressed(response: BaseHTTPResponse) -> Iterator[bytes]:
    encoding = _encoding(response)
    if encoding in _PLAIN:
        yield from _raw(response)
        return
    if encoding not in _COMPRESSED:
        message = f"its answer is encoded as {encoding[:80]!r}, which it was not asked for"
        raise ValueError(message)
    # Not left to urllib3: before 2.6 it decompresses however little it was asked for.
    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for piece in _raw(response):
            data = piece
            while data:
                yield decompressor.decompress(data, PIECE_BYTES)
                data = decompressor.unconsumed_tail
            if decompressor.unused_data:
                break
        yield decompressor.flush()
    except zlib.error as error:
        message = f"its answer cannot be decompressed ({error})"
        raise ValueError(message) from None
    if decompressor.unused_data or not decompressor.eof:
        message = "its answer cannot be decompressed (it does not end where it should)"
        raise ValueError(message)


def _raw(response: BaseHTTPResponse) -> Iterator[bytes]:
    while piece := response.read(PIECE_BYTES, decode_content=False):
        yield piece
