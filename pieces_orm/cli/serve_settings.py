"""The options of `pieces-orm serve` as settings of a server, with errors that name the option."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve

from ..errors import UsageError
from ..server import ChatModel, Settings
from ..server.asgi.guard import is_loopback
from .errors import WrongUsageError


def server_settings(token: str | None, allow_origin: Iterable[str], pieces_version: str | None) -> Settings:
    """Build the settings.

    Raises:
        WrongUsageError: an option has a value that it does not take.
    """
    # The message does not repeat a secret.
    settings = _with(Settings(), "--token takes visible ASCII characters without spaces, at least one.", token=token)
    for origin in allow_origin:
        wrong = (
            f"--allow-origin {origin} is not an origin: pass one such as app://obsidian.md, without a path. "
            "SCHEME://* stands for all origins of a scheme other than http and https."
        )
        settings = _with(settings, wrong, allow_origins=(*settings.allow_origins, origin))
    if pieces_version is not None:
        wrong = f"--pieces-version {pieces_version} is not a version: pass one such as 12.3.0."
        settings = _with(settings, wrong, version=pieces_version)
    return settings


def _with(settings: Settings, wrong: str, **changes: Any) -> Settings:
    try:
        return evolve(settings, **changes)
    except UsageError as error:
        raise WrongUsageError(wrong) from error


def check_host(host: str, token: str | None) -> None:
    """Raise WrongUsageError if other machines can reach an address and there is no token."""
    if token is None and not is_loopback(host):
        message = f"--host {host} needs --token: other machines may reach this address. Or leave --host out."
        raise WrongUsageError(message)


def chat_model(url: str | None, name: str | None, key: str | None, *, key_is_option: bool) -> ChatModel | None:
    """Return the model that answers questions, None when no option names one.

    Raises:
        WrongUsageError: options are missing, or the address is not one.
    """
    if url is None and name is None:
        if key_is_option:
            raise WrongUsageError("--model-key needs --model-url URL and --model NAME.")
        return None
    if url is None:
        raise WrongUsageError(f"--model {name} needs --model-url URL, such as http://127.0.0.1:11434/v1.")
    if name is None:
        raise WrongUsageError(f"--model-url {url} needs --model NAME, the name of a model at this address.")
    try:
        return ChatModel(url, name, key)
    except UsageError as error:
        message = f"--model-url {url} is not an http address: pass one such as http://127.0.0.1:11434/v1."
        raise WrongUsageError(message) from error
