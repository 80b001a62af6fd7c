"""Closed lists of the wire, each written once: application names, platforms, ports, reasons for a score."""

from __future__ import annotations

import sys

from ..values import Platform

APPLICATION_NAMES = frozenset({
    "UNKNOWN", "SUBLIME", "VS_CODE", "JETBRAINS", "FIREFOX_ADDON_MV2", "FIREFOX_ADDON_MV3", "SAFARI_EXTENSION_MV2",
    "SAFARI_EXTENSION_MV3", "PIECES_FOR_DEVELOPERS", "PIECES_FOR_DEVELOPERS_CLI", "OS_SERVER",
    "GOOGLE_CHROME_EXTENSION_MV2", "GOOGLE_CHROME_EXTENSION_MV3", "ULTRA_EDIT", "ATOM_PACKAGE",
    "ADOBE_ILLUSTRATOR_PIECES_COLOR_SHARE", "MICROSOFT_TEAMS", "CHAT_GPT", "OBSIDIAN", "JUPYTER_HUB", "VISUAL_STUDIO",
    "MICROSOFT_EDGE", "BRAVE", "GOOGLE_CHAT", "SLACK", "AZURE_DATA_STUDIO", "OPEN_SOURCE", "R_STUDIO", "VIM",
    "NOTION", "GITHUB_DESKTOP", "RAYCAST", "REPLIT", "ALFRED", "FIGMA", "SKETCH", "ADOBE_ILLUSTRATOR",
    "NOTEPAD_PLUS_PLUS", "EMBEETLE", "ECLIPSE", "X_CODE", "NETBEANS", "OPERA", "PIECES_SAVED_MATERIALS_APPLET",
    "PIECES_SETTINGS_APPLET", "PIECES_WORKSTREAM_ACTIVITY_APPLET", "PIECES_OS_TOOLBAR_APPLET",
    "PIECES_COPILOT_APPLET", "MCP_CLIENT",
})  # fmt: skip

# Ports of Pieces OS from 11.0 on; it takes the first that is free.
CURRENT_PORTS = range(39300, 39334)
# Ports of Pieces OS up to 10.1.15: on macOS and Windows, and on Linux.
OLD_PORTS = (1000, 5323)

SCORE_REASONS = ("priority", "reuse", "update", "reference", "searched")

# The headers that carry an application's id.
APPLICATION_HEADERS = ("application", "X-Application-ID")

# Statuses by which a server says that it does not have a route of other versions.
NO_SUCH_ROUTE = (404, 405, 501)


def this_platform() -> Platform:
    """Return the operating system that this program runs on."""
    known = {"linux": Platform.LINUX, "darwin": Platform.MACOS, "win32": Platform.WINDOWS}
    return known.get(sys.platform, Platform.UNKNOWN)
