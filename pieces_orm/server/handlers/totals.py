"""Totals of what the user has, as programs older than the published description ask for them."""

from __future__ import annotations

from collections import Counter

from ...values import AnchorType, MessageRole
from ...wire import kinds
from ...wire.kinds import Kind
from ..domain.materials import own_keys
from ..http.requests import Request
from ..json_values import json_text, object_in
from ..storage.reader import Reader, Selection

_COUNTED = {
    "assets": kinds.ASSET,
    "tags": kinds.TAG,
    "websites": kinds.WEBSITE,
    "persons": kinds.PERSON,
    "sensitives": kinds.SENSITIVE,
    "shares": kinds.SHARE,
    "copilot_conversations": kinds.CONVERSATION,
    "copilot_sessions": kinds.CONVERSATION,
    "workstream_events": kinds.WORKSTREAM_EVENT,
    "workstream_summaries": kinds.SUMMARY,
    "workstream_pattern_engine_sources": kinds.SOURCE,
}
# Totals of the counters in the scores of assets.
_SCORED = {"searches": "searched", "references": "reference", "reuses": "reuse"}
# Reports and scores that nothing here makes; older clients require the numbers.
_NEVER_MADE = {"productivity_score": 0, "isr_reports": 0}


def metadata(request: Request) -> str:
    """Answer how many materials there are, and how often assets were used."""
    with request.service.store.read() as reader:
        roles = _values(reader, kinds.MESSAGE, "role")
        types = _values(reader, kinds.ANCHOR, "type")
        scores = [object_in(own_keys(row), "score") for row in reader.rows(kinds.ASSET.name)]
        totals = {name: reader.selected_count(kind.name, Selection()) for name, kind in _COUNTED.items()}
    totals |= {name: sum(int(score.get(key) or 0) for score in scores) for name, key in _SCORED.items()}
    totals |= {
        "copilot_sends": roles[MessageRole.USER],
        "copilot_receives": roles[MessageRole.ASSISTANT],
        "anchor_files": types[AnchorType.FILE],
        "anchor_folders": types[AnchorType.DIRECTORY],
        **_NEVER_MADE,
    }
    return json_text({"totals": totals})


def _values(reader: Reader, kind: Kind, key: str) -> Counter[str]:
    """Count the values of an own key in all materials of a kind."""
    return Counter(str(own_keys(row).get(key)) for row in reader.rows(kind.name))
