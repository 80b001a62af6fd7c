"""The members of uvicorn that the server relies on and that uvicorn's documentation does not promise."""

import asyncio

import uvicorn
from uvicorn.protocols.http import flow_control, h11_impl

from pieces_orm.server.asgi.sending import ConnectionLimits
from pieces_orm.server.asgi.slow_requests import TimedProtocol
from pieces_orm.server.asgi.uvicorn_server import UvicornServer
from pieces_orm.server.workload import HeldBytes

LIMITS = ConnectionLimits(request_timeout_s=1, send_timeout_s=1, max_body=1, held=HeldBytes(1), headers=())


async def application(scope, receive, send):
    pass


def lacking(owner, *names):
    """Those of the members that are gone."""
    return [f"{type(owner).__name__}.{name}" for name in names if not hasattr(owner, name)]


def protocol(server):
    return TimedProtocol(server.config, server.server_state, {}, asyncio.get_running_loop())


def members():
    """All that are gone, of every object that the server looks into."""

    async def look():
        server = UvicornServer(application, limits=LIMITS, before_shutdown=lambda: None)
        server.config.load()
        http = protocol(server)
        stream = server.config.ws_protocol_class(server.config, server.server_state, {}, asyncio.get_running_loop())
        flow = flow_control.FlowControl(asyncio.Transport())
        exchange = h11_impl.RequestResponseCycle.__new__(h11_impl.RequestResponseCycle)
        parameters = h11_impl.RequestResponseCycle.__init__.__code__.co_varnames
        return [
            *lacking(server, "run", "should_exit", "main_loop", "on_tick", "shutdown", "server_state"),
            *lacking(server.server_state, "connections", "tasks"),
            *lacking(http, "connection_made", "data_received", "connection_lost", "conn", "flow", "loop", "transport"),
            *lacking(http, "cycle"),
            *lacking(http, "send_400_response"),
            *lacking(http.conn, "their_state", "our_state", "trailing_data", "send"),
            *lacking(
                stream,
                "data_received",
                "connection_lost",
                "handle_ping",
                "writable",
                "conn",
                "frames",
                "config",
                "loop",
                "transport",
            ),
            *lacking(stream.conn, "send_response", "available_extensions", "logger", "reader"),
            *lacking(stream.conn.reader, "buffer"),
            *lacking(flow, "read_paused"),
            *lacking(exchange, "receive"),
            *([] if "transport" in parameters else ["RequestResponseCycle.transport"]),
        ]

    return asyncio.run(look())


def test_uvicorn_has_the_members_that_the_server_relies_on():
    remedy = "adapt pieces_orm/server/asgi, or lower the upper bound of uvicorn in pyproject.toml"
    assert members() == [], f"uvicorn {uvicorn.__version__} lacks these: {remedy}"


def test_a_member_that_is_gone_is_named(monkeypatch):
    monkeypatch.delattr(uvicorn.Server, "on_tick")
    monkeypatch.delattr(h11_impl.RequestResponseCycle, "receive")
    assert members() == ["UvicornServer.on_tick", "RequestResponseCycle.receive"]
