"""The user of this server, who is signed in unless the settings say otherwise."""

from __future__ import annotations

from ..domain.identity import signed_in, user_profile
from ..http.requests import Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..service import Service


def profile_frame(service: Service) -> str:
    """Build the frame of the user's stream: the profile, or nothing when nobody is signed in."""
    if not signed_in(service.settings):
        return ""
    with service.store.read() as reader:
        return json_text(user_profile(reader))


def checked_in_frame(service: Service) -> str:
    """Build the frame that says whether the user has to sign in again."""
    return json_text({"needsRefresh": not signed_in(service.settings)})


def user(request: Request) -> str:
    """Answer the signed-in user, if any."""
    profile = profile_frame(request.service)
    return f'{{"user":{profile}}}' if profile else "{}"


def users(request: Request) -> str:
    """Answer every user of this server."""
    return f'{{"iterable":[{profile_frame(request.service)}]}}'


def one_user(request: Request) -> str:
    """Answer one user's profile."""
    with request.service.store.read() as reader:
        profile = user_profile(reader)
    if profile["id"] != request.params["user"] or not signed_in(request.service.settings):
        raise RequestError(410, f"There is no user {request.params['user']}.")
    return json_text(profile)
