"""The guard that lets in programs on this machine and keeps out web pages that found the port."""

from __future__ import annotations

import functools
import hmac
import ipaddress
import re
import shlex
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...errors import printable
from ...wire.closed_lists import APPLICATION_HEADERS
from ..http.responses import error_response
from ..settings import Settings, is_origin

# A host as browsers write it: an IPv6 address in brackets or a name without empty labels, and perhaps a port.
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*))(?::([0-9]{0,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine; an IPv4 address counts in its usual spelling only."""
    name = host.lower()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or (name.endswith(".localhost") and all(name.split(".")))
    return address.is_loopback and "%" not in name


@functools.lru_cache(maxsize=256)
def _host_and_port(netloc: str) -> tuple[str, int | None]:
    """Split a Host header or the rest of an origin; the host is empty when it is malformed."""
    found = _HOST.fullmatch(netloc.lower()) if netloc.isascii() else None
    if found is None:
        return "", None
    address, name, port = found.groups()
    try:
        host = name or str(ipaddress.IPv6Address(address))
    except ValueError:
        return "", None
    return host, int(port) if port else None


# The names in nearly every request.
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# The values of Sec-Fetch-Site for requests that no page of another origin caused: `none` is a user's navigation.
_OWN_SITES = frozenset({b"none", b"same-origin"})
# The answer to a CORS preflight.
_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": ", ".join(("authorization", "content-type", *APPLICATION_HEADERS)).lower(),
    "access-control-max-age": "600",
}
_MAX_NAMED_CHARS = 200  # of a header, in the sentence that refuses it
_SITE_REFUSAL = (
    "Pages of other sites may not call this server; start it with --allow-origin ORIGIN, or "
    "Settings(allow_origins=...), for the origin of the page."
)


class Guard:
    """ASGI middleware that refuses foreign hosts, foreign origins, callers without the token, and oversized bodies."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = frozenset(host.lower().strip("[]") for host in settings.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; the page of an allowed origin may read the response."""
        refused = self._refused(scope)
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None

        async def send_to_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update({"access-control-allow-origin": origin or "", "vary": "origin"})
            await send(message)

        if refused is not None:
            await refused(scope, receive, send)
        elif origin is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(None, 204, _PREFLIGHT)(scope, receive, send_to_origin)
        else:
            await self._app(scope, receive, send_to_origin)

    def _refused(self, scope: Scope) -> Response | None:
        """Build the response to a request that may not pass; None when it may."""
        hosts, length, token = [], 0, b""
        has_origin, is_foreign_site = False, False
        # The body of a refused request is not read.
        error = functools.partial(error_response, close=scope["type"] == "http")
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value.decode("latin-1"))
            elif name == b"origin":
                origin, has_origin = value.decode("latin-1"), True
                if not self._may_call(origin, scope):
                    return error(403, _origin_refusal(origin))
            elif name == b"sec-fetch-site":
                is_foreign_site |= value not in _OWN_SITES
            elif name == b"content-length" and value.isdigit():
                length = int(value)
            elif name == b"authorization":
                token = value
        if len(hosts) != 1 or not self._is_own_host(hosts[0]):
            return error(421, _host_refusal(hosts))
        if is_foreign_site and not has_origin:
            # A page embeds this address, or links to it; the browser does not say which page.
            return error(403, _SITE_REFUSAL)
        if not self._has_token(token) and not _is_preflight(scope):
            response = error(401, "This server requires a token: send it as `Authorization: Bearer TOKEN`.")
            response.headers["www-authenticate"] = "Bearer"
            return response
        if length > self._settings.max_body:
            return error(413, f"The body has {length} bytes; the limit is {self._settings.max_body}.")
        return None

    def _is_own_host(self, host: str) -> bool:
        # A page that resolves its own name to this machine does not know the token.
        if self._settings.allow_foreign_hosts or self._settings.token is not None:
            return True
        name, _ = _host_and_port(host)
        return name in _LOOPBACK or is_loopback(name) or name in self._hosts

    def _has_token(self, authorization: bytes) -> bool:
        if self._settings.token is None:
            return True
        scheme, _, given = authorization.partition(b" ")
        same = hmac.compare_digest(given.strip(), self._settings.token.encode())
        return same and scheme.lower() == b"bearer"

    def _may_call(self, origin: str, scope: Scope) -> bool:
        scheme, _, netloc = origin.partition("://")
        if not {origin, f"{scheme}://*"}.isdisjoint(self._settings.allow_origins):
            return True
        name, port = _host_and_port(netloc)
        own_port = (scope.get("server") or (None, None))[1]
        return scheme in _DEFAULT_PORTS and is_loopback(name) and own_port == (port or _DEFAULT_PORTS[scheme])


def _named(header: str) -> str:
    """Shorten and escape a header for a sentence."""
    return printable(header if len(header) <= _MAX_NAMED_CHARS else f"{header[:_MAX_NAMED_CHARS]}...")


def _origin_refusal(origin: str) -> str:
    """Say that an origin may not call, and which option lets it in if there is one."""
    refused = f"Origin {_named(origin)} may not call this server"
    if len(origin) > _MAX_NAMED_CHARS or not is_origin(origin):
        return f"{refused}."
    # Quoted, because the sentence is pasted into a shell.
    option = f"--allow-origin {shlex.quote(_named(origin))}"
    return f"{refused}; start it with {option}, or Settings(allow_origins=...)."


def _host_refusal(hosts: Sequence[str]) -> str:
    """Say that a host is not a name of this machine, and how it becomes one."""
    return (
        f"Host {_named(', '.join(hosts)) or '(none)'} is not a name of this machine. Call the server as 127.0.0.1 or "
        "localhost, or start it with Settings(hosts=...) or with a token."
    )


def _is_preflight(scope: Scope) -> bool:
    """Tell whether a request is a CORS preflight, which a browser sends without the page's headers."""
    return scope["type"] == "http" and scope["method"] == "OPTIONS" and any(n == b"origin" for n, _ in scope["headers"])
