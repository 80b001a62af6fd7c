"""A token that every caller must show."""

import pytest
from websockets.exceptions import InvalidStatus

from pieces_orm.errors import UsageError
from pieces_orm.server import Settings
from pieces_orm.wire.kinds import KINDS
from tests.server.support import frame, stream

TOKEN = "s3cret-Token~1"
GOOD = {"Authorization": f"Bearer {TOKEN}"}
WRONG = (
    "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN.upper()}", "Bearer s3cr\xe9t", f"Bearer {TOKEN} {TOKEN}",
)  # fmt: skip


@pytest.fixture
def guarded(started):
    return started(settings=Settings(token=TOKEN))


def test_without_the_token_everything_is_401_with_a_sentence(guarded):
    for value in (None, *WRONG):
        headers = {} if value is None else {"Authorization": value.encode("latin-1")}
        for method, path in (("GET", "/.well-known/health"), ("POST", "/tags/create"), ("GET", "/nothing")):
            answer = guarded.ask(method, path, {"text": "t"} if method == "POST" else None, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), value
            assert answer.text.endswith("`Authorization: Bearer TOKEN`.")
            assert TOKEN not in answer.text
    assert guarded.get("/tags", headers=GOOD)["iterable"] == []


def test_with_the_token_everything_works(guarded):
    guarded.http.headers.update(GOOD)
    tag = guarded.make(KINDS["tag"])
    assert guarded.read(KINDS["tag"], tag["id"]) == tag
    assert guarded.status("GET", "/tags", headers={"Authorization": f"bearer  {TOKEN}"}) == 200


def test_a_stream_needs_the_token_too(guarded):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(InvalidStatus) as refused:
            stream(guarded.server, "/tags/stream/identifiers", additional_headers=headers)
        assert refused.value.response.status_code == 401
        assert b"requires a token" in refused.value.response.body
    with stream(guarded.server, "/tags/stream/identifiers", additional_headers=GOOD) as opened:
        assert frame(opened) == {"iterable": []}


def test_a_page_asks_without_the_token_and_calls_with_it(started):
    origin = "vscode-webview://abc"
    wire = started(settings=Settings(token=TOKEN, allow_origins=(origin,)))
    asked = wire.ask("OPTIONS", "/tags", headers={"Origin": origin})
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert wire.status("GET", "/tags", headers={"Origin": origin}) == 401
    assert wire.status("GET", "/tags", headers={"Origin": origin, **GOOD}) == 200
    assert wire.status("OPTIONS", "/tags") == 401
    assert wire.status("GET", "/tags", headers={"Origin": "https://evil.example", **GOOD}) == 403


@pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "é"])
def test_a_token_that_no_header_can_carry_is_refused(token):
    with pytest.raises(UsageError, match="visible ASCII"):
        Settings(token=token)


def test_the_token_is_not_shown():
    assert TOKEN not in repr(Settings(token=TOKEN))
