"""Closed lists of the wire: application names, platforms, ports, reasons for a score, statuses."""

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

# The name under which a program connects that the list does not have; its own name goes into `descriptor`.
UNLISTED_APPLICATION = "OPEN_SOURCE"

# Ports of Pieces OS from 11.0 on; it takes the first that is free.
CURRENT_PORTS = range(39300, 39334)
# Ports of Pieces OS up to 10.1.15: that of macOS and Windows, and that of Linux.
OLD_PORTS = (1000, 5323)

# The counters of a `Score` that a program can increment.
SCORE_REASONS = ("priority", "reuse", "update", "reference", "searched")

# The headers that carry an application's id.
APPLICATION_HEADERS = ("application", "X-Application-ID")

# Statuses by which a server says that it has no such route, because its version is older or newer.
NO_SUCH_ROUTE = (404, 405, 501)


def this_platform() -> Platform:
    """Return the platform that this program runs on."""
    known = {"linux": Platform.LINUX, "darwin": Platform.MACOS, "win32": Platform.WINDOWS}
    return known.get(sys.platform, Platform.UNKNOWN)
