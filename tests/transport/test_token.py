"""A session on a server that wants a token."""

import pytest

import pieces_orm
from pieces_orm.server import Server, Settings

TOKEN = "s3cret"


@pytest.fixture(scope="module")
def guarded():
    with Server(settings=Settings(token=TOKEN)) as server:
        yield server


def test_a_session_with_the_token_reads_writes_and_watches(guarded):
    with pieces_orm.connect(guarded.url, token=TOKEN) as session, session.watch(pieces_orm.Tag).wait_live():
        tag = session.tags.create("tides")
        with pieces_orm.connect(guarded.url, token=TOKEN, api_key="mine") as other:
            assert other.tags.get(tag.id).text == "tides"


def test_a_token_that_is_missing_or_wrong_is_said(guarded):
    with pytest.raises(
        pieces_orm.NotRunningError, match=r"^The server at \S+ wants a token: pass .* token= .* --token"
    ):
        pieces_orm.connect(guarded.url)
    with pytest.raises(
        pieces_orm.NotRunningError, match=r"^The server at \S+ refuses the token: pass .* token= .* --token"
    ):
        pieces_orm.connect(guarded.url, token="wrong")


def test_a_token_is_not_shown_to_whatever_answers_at_the_known_places(guarded, monkeypatch):
    monkeypatch.delenv("PIECES_URL", raising=False)
    with pytest.raises(pieces_orm.UsageError, match=r"pass url=, or set PIECES_URL\."):
        pieces_orm.connect(token=TOKEN)
    monkeypatch.setenv("PIECES_URL", guarded.url)
    with pieces_orm.connect(token=TOKEN) as session:
        assert session.url == guarded.url
