"""Extensions of the wire, as a connection knows them from answers."""

import pytest

import pieces_orm
from pieces_orm.errors import NotFoundError, NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.asgi.answer_headers import SERVED
from pieces_orm.session import Session
from pieces_orm.transport.connection import NoExtensionError
from pieces_orm.wire.extensions import PAGES, names_in
from pieces_orm.wire.kinds import TAG, Route
from tests.transport.proxy import proxied
from tests.wire.recorder import recording

NEWER = Route("POST", "/tags/newer")


def test_a_header_names_extensions_with_commas_between_them():
    assert names_in(" pages,query , ,many") == {"pages", "query", "many"}
    assert names_in("") == frozenset()


def test_the_first_answer_tells_the_extensions(pieces_server):
    with Session(pieces_server.url, api_key="key") as session:
        connection = session._context.connection
        assert connection.extensions == frozenset()
        session.tags.ids()
        assert connection.extensions == set(SERVED)
        with pytest.raises(NotFoundError):
            session.tags.get("none")
        assert connection.extensions == set(SERVED)


def test_a_server_without_extensions_is_not_asked_for_any():
    with Server(settings=Settings(extensions=False)) as server, pieces_orm.connect(server.url) as session:
        session.tags.ids()
        assert session._context.connection.extensions == frozenset()
        with pytest.raises(NoExtensionError):
            session._context.connection.call(TAG.route("all"), extension=PAGES)


def test_a_server_that_came_after_a_loss_is_asked_for_no_extension_unseen(pieces_server):
    with proxied(pieces_server.url) as proxy, Session(proxy.url, api_key="key") as session:
        connection = session._context.connection
        session.tags.ids()
        proxy.refuse()
        with pytest.raises(NotRunningError):
            connection.call(TAG.route("all"), extension=PAGES)
        proxy.accept()
        with pytest.raises(NoExtensionError):
            connection.call(TAG.route("all"), extension=PAGES)
        session.tags.ids()
        connection.call(TAG.route("all"), extension=PAGES)


def test_a_server_that_lost_its_extension_says_so_by_an_answer_without_the_header():
    with recording() as recorder, Session(recorder.url, api_key="key") as session:
        connection = session._context.connection
        connection._transport.extensions, connection._transport._named = frozenset({PAGES}), PAGES
        recorder.answer("POST", NEWER.path, 404)
        with pytest.raises(NoExtensionError):
            connection.call(NEWER, extension=PAGES)
        assert connection.extensions == frozenset()
        connection._transport.extensions, connection._transport._named = frozenset({PAGES}), PAGES
