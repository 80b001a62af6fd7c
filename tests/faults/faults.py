"""The faults of the matrix: what can come instead of one good answer, each with what a call may make of it."""

from __future__ import annotations

import json
import re
import uuid

from attrs import field, frozen

from .exchanges import LONGEST_HOLD_S, json_of

# Seconds that a session waits where a fault is about time.
SHORT_TIMEOUT_S = 0.3
RETRY_AFTER_S = 1
# Between two bytes of a body that drips.
DRIP_S = 0.05
SLOW_S = 0.1
FIRST_ID = re.compile(rb'"(?:id|identifier)":\s*"([^"]+)"')


@frozen
class Fault:
    """One fault.

    Attributes:
        name: in plain words, as the page has it.
        act: answers an exchange in its way.
        errors: names of the errors that a call may raise for it.
        retried: a read that meets it once is sent again, and succeeds.
        status: of the answer, where it is that of an error.
        timeout: of the sessions that meet it, in seconds.
        refuses: nobody listens; no exchange comes about.
        harmless: every call succeeds; what opens a stream waits for `seconds`.
        undetectable: the answer of a whole collection, or to a create, is as good as any.
    """

    name: str
    act: object
    errors: tuple = ("DecodeError",)
    retried: bool = False
    status: int | None = None
    timeout: float = 10.0
    refuses: bool = False
    harmless: bool = False
    seconds: float = SLOW_S
    undetectable: bool = False
    # What the message of an error has to name.
    named: str = ""
    # Its answers take a time that can be felt.
    waits: bool = False
    id: str = field(init=False)

    def __attrs_post_init__(self):
        object.__setattr__(self, "id", re.sub(r"[^a-z0-9{}]+", "-", self.name.lower()).strip("-"))


# Statuses -------------------------------------------------------------------------------------------------------------


def error_of(status):
    """Return the name of the error that a status stands for."""
    named = {401: "NotAuthorizedError", 403: "NotAuthorizedError", 404: "NotFoundError", 410: "NotFoundError"}
    named |= {429: "ServerError", 593: "UpgradeRequiredError"}
    return named.get(status, "InvalidRequestError" if 400 <= status < 500 else "ServerError")


def status(number, words, *, retry_after=None, **about):
    """A fault that answers with a status, and does nothing of what was asked."""
    more = [] if retry_after is None else [f"Retry-After: {retry_after}"]

    def act(exchange):
        exchange.answer(number, b"injected", "text/plain", more)

    about = {"retried": number in {502, 503, 504}, **about}
    return Fault(f"{number} {words}", act, (error_of(number),), status=number, **about)


def redirect(exchange):
    exchange.answer(301, b"", "text/plain", ["Location: http://127.0.0.1:9/elsewhere"])


# Bodies: the server does what is asked, and its answer is replaced ----------------------------------------------------


def body(name, make, *, content_type="application/json", number=200, **about):
    """A fault that puts another body in the place of the server's."""

    def act(exchange):
        _, _, good = exchange.forward()
        exchange.answer(number, make(good, exchange.victim.encode()), content_type)

    return Fault(name, act, **about)


def id_in(good, victim):
    """Return the place of the id that a fault is about: the victim's, else the first."""
    place = good.find(victim) if victim else -1
    found = FIRST_ID.search(good)
    return (place, place + len(victim)) if place >= 0 else found.span(1) if found else (0, 0)


def wrong_id(good, victim):
    start, end = id_in(good, victim)
    return good if end == 0 else good[:start] + str(uuid.uuid4()).encode() + good[end:]


def missing_id(good, victim):
    start, _ = id_in(good, victim)
    before = re.sub(rb'"(?:id|identifier)":\s*"$', b'"nothing": "', good[:start])
    return before + good[start:]


def invalid_utf8(good, victim):
    start, _ = id_in(good, victim)
    place = good.find(b"faults", start)
    if place < 0:
        place = start
    return good[:place] + b"\xff\xfe" + good[place:]


def too_deep(good, victim):
    deep = b"[" * 100_000 + b"]" * 100_000
    members = good.strip()[1:]
    return b'{"deep":' + deep + b"," + members if good[:1] == b"{" and members != b"}" else deep


def holder_of(data):
    """Return the object in an answer that has its `iterable`: the answer, or that under one of its keys."""
    if not isinstance(data, dict) or "id" in data:
        return None
    return next((each for each in (data, *data.values()) if isinstance(each, dict) and "iterable" in each), None)


def without_iterable(good, victim):
    data = json_of(good)
    holder = holder_of(data)
    if holder is None:
        return b'{"indices": {}}'
    del holder["iterable"]
    return json.dumps(data).encode()


def left_out(good, victim):
    data = json_of(good)
    holder = holder_of(data)
    if holder is None:
        return good
    wanted = victim.decode() or json.dumps(holder["iterable"][:1])
    rest = [each for each in holder["iterable"] if wanted not in json.dumps(each)]
    holder["iterable"] = rest
    holder.pop("indices", None)
    if holder is not data:
        data["notFound"] = [victim.decode()]
    return json.dumps(data).encode()


def of_another_kind(good, victim):
    other = {"id": str(uuid.uuid4()), "text": "another kind", "created": {"value": "2026-01-01T00:00:00Z"}}
    data = json_of(good)
    holder = holder_of(data)
    if holder is None:
        return json.dumps(other).encode()
    holder["iterable"] = [{"identifier": other["id"], "tag": other} if "suggested" in holder else other]
    return json.dumps(data).encode()


# Connections ----------------------------------------------------------------------------------------------------------


def reset_first(exchange):
    exchange.reset()


def close_first(exchange):
    exchange.close()


def never_answer(exchange):
    exchange.wait(LONGEST_HOLD_S)
    exchange.close()


def reset_within(exchange):
    status, content_type, good = exchange.forward()
    announced = f"Content-Length: {len(good) + 100}"
    exchange.send_head(200 if status == 204 else status, [f"Content-Type: {content_type}", announced])
    exchange.client.sendall(good[: len(good) // 2])
    exchange.reset()


def reset_afterwards(exchange):
    exchange.forward()
    exchange.reset()


def drip(exchange):
    exchange.forward()
    exchange.send_head(200, ["Content-Type: application/json", "Content-Length: 9999"])
    for _ in range(int(LONGEST_HOLD_S / DRIP_S)):
        exchange.client.sendall(b" ")
        exchange.wait(DRIP_S)
        if exchange.ended.is_set():
            break
    exchange.close()


def slow(exchange):
    status, content_type, good = exchange.forward()
    exchange.wait(SLOW_S)
    exchange.answer(status, good, content_type)


def too_many_bytes(exchange):
    _, content_type, good = exchange.forward()
    half = len(good) // 2
    exchange.send_head(200, [f"Content-Type: {content_type}", f"Content-Length: {half}"])
    exchange.client.sendall(good)


def chunked_garbage(exchange):
    exchange.forward()
    exchange.send_head(200, ["Content-Type: application/json", "Transfer-Encoding: chunked"])
    exchange.client.sendall(b'7\r\n{"id": \r\nnot a size\r\n\x00\xff\r\n')
    exchange.close()


def no_http(exchange):
    exchange.forward()
    exchange.client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    exchange.close()


def lost(name, act, **about):
    """A fault of the connection: the request or its answer is lost."""
    return Fault(name, act, **{"errors": ("TransportError",), "retried": True, **about})


WEB_PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
ERROR_OBJECT = json.dumps({"error": "something is wrong", "eventId": "1234"}).encode()
TIMELY = {"timeout": SHORT_TIMEOUT_S, "retried": False, "errors": ("RequestTimeout",)}

FAULTS = (
    Fault("301 to another address", redirect, ("ServerError",), status=301),
    status(400, "bad request"),
    status(401, "nobody is signed in"),
    status(403, "forbidden"),
    status(404, "not found, of what is there"),
    status(405, "no such method"),
    status(408, "the request came too slowly"),
    status(410, "gone, of what is there"),
    status(429, "too many requests"),
    status(429, f"with Retry-After: {RETRY_AFTER_S}", retry_after=RETRY_AFTER_S, retried=True, named="1", timeout=1.5),
    status(429, "with Retry-After: 600", retry_after=600, named="600"),
    status(500, "internal error"),
    status(501, "not implemented"),
    status(502, "bad gateway"),
    status(503, "unavailable, as while it starts"),
    status(504, "gateway timeout"),
    status(593, "the server must be updated"),
    body("204, nothing where there should be something", lambda *_: b"", number=204),
    body("200 with an empty body", lambda *_: b""),
    body("200 with `{}`", lambda *_: b"{}"),
    body("200 with an error object", lambda *_: ERROR_OBJECT),
    body("200 with `null`", lambda *_: b"null"),
    body("200 with a list", lambda *_: b"[]"),
    body("200 with a web page", lambda *_: WEB_PAGE, content_type="text/html"),
    body("200 with half of the JSON", lambda good, _: good[: len(good) // 2]),
    body("200 with another id", wrong_id, undetectable=True),
    body("200 without the id", missing_id),
    body("200 with a document of another kind", of_another_kind, undetectable=True),
    body("200 without `iterable`", without_iterable),
    body("200 that leaves one out", left_out, errors=("NotFoundError",), undetectable=True),
    body("200 with JSON nested too deeply", too_deep),
    body("200 with bytes that are not UTF-8", invalid_utf8),
    lost("connection refused", None, errors=("NotRunningError",), refuses=True),
    lost("connection reset before the answer", reset_first),
    lost("connection closed without an answer", close_first),
    lost("connection accepted, never answered", never_answer, **TIMELY),
    lost("connection reset within the body", reset_within),
    lost("connection reset after the work was done", reset_afterwards),
    lost("an answer that drips", drip, **TIMELY),
    lost("an answer that is slow, and good", slow, harmless=True, retried=False, waits=True),
    lost("more bytes than Content-Length says", too_many_bytes, retried=False, errors=("DecodeError",)),
    lost("chunks that are none", chunked_garbage),
    lost("an answer that is not HTTP", no_http),
)  # fmt: skip
assert len({fault.id for fault in FAULTS}) == len(FAULTS) == 43
