"""The operations of Pieces OS that this server does not do: accounts, the cloud, models that run, the machine itself.

They answer 501, so that a program can tell them from a path that never was.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from ..http.answers import Call, RefusedError

_GET = """
    /
    /.well-known/installation/path
    /allocation/{allocation}
    /allocations
    /analyses
    /applications/external
    /applications/external/related
    /applications/stream/identifiers
    /asset/{asset}/export
    /authorize
    /backup/{backup}
    /backup/{backup}/creation/status
    /backup/{backup}/restoration/status
    /backup/{backup}/restore/streamed/websocket
    /backups
    /backups/create/streamed/websocket
    /backups/streamed/progress
    /code_analyses
    /database/export
    /deep_research/stream
    /distribution/{distribution}
    /distributions
    /entities
    /entities/stream/identifiers
    /entity/{entity}
    /format/{format}/analysis
    /foundry/install/{identifier}
    /foundry/installs
    /foundry/status
    /foundry/status/stream
    /foundry/update/{identifier}
    /foundry/updates
    /image_analyses
    /model/{model}/download/progress
    /model_context_protocol/schema_versions
    /model_context_protocol/{schema_version}/sse
    /models/stream/identifiers
    /ocr_analyses
    /ollama/install/{identifier}
    /ollama/installs
    /ollama/status
    /ollama/status/stream
    /ollama/update/{identifier}
    /ollama/updates
    /os/applet/version/stream
    /os/device/information
    /os/filesystem/file/read/streamed
    /os/permissions
    /os/restart
    /os/settings
    /os/settings/stream
    /os/status/stream
    /os/update/check/stream
    /pkce/challenge
    /qgpt/behavior_specific_retrieval/activations
    /relationship/{relationship}
    /relationships
    /subscription/{subscription}
    /subscriptions
    /subscriptions/stream/identifiers
    /tunnel/status
    /user/access_token
    /user/paddle/refresh
    /user/providers
    /user/refresh
    /userinfo
    /v2/logout
    /workstream_pattern_engine/processors/sources
    /workstream_pattern_engine/processors/status
    /workstream_pattern_engine/processors/status/stream
    /workstream_pattern_engine/processors/vision/calibrations
    /workstream_pattern_engine/processors/vision/calibrations/focused
    /workstream_pattern_engine/processors/vision/data/events
    /workstream_pattern_engine/processors/vision/data/events/{vision_event}
    /workstream_pattern_engine/processors/vision/metadata
    /workstream_pattern_engine/processors/vision/status
"""
_POST = """
    /allocation/update
    /allocations/connect
    /allocations/create
    /allocations/delete
    /allocations/disconnect
    /allocations/reconnect
    /application/update
    /applications/register
    /applications/session/close
    /applications/session/open
    /applications/update/capabilities
    /backup
    /backup/asset
    /backup/{backup}/creation/cancel
    /backup/{backup}/restoration/cancel
    /backup/{backup}/restore
    /backup/{backup}/restore/streamed
    /backups/create
    /backups/create/streamed
    /backups/{backup}/delete
    /classification/generic/convert
    /conversation/{conversation}/prepare
    /conversation/{conversation}/summarize
    /database/import
    /discovery/discover/assets
    /discovery/discover/assets/html
    /discovery/discover/sensitives
    /discovery/discover/tags/related
    /distribution/update
    /distributions/create
    /distributions/{distribution}/delete
    /entities/create
    /entities/search
    /entities/{entity}/delete
    /entity/update
    /entity/{entity}/scores/increment
    /entity/{entity}/subscriptions/associate/{subscription}
    /entity/{entity}/subscriptions/disassociate/{subscription}
    /entity/{entity}/users/associate/{user}
    /entity/{entity}/users/disassociate/{user}
    /external_provider/api_key/create
    /external_provider/api_key/delete
    /external_provider/api_key/update
    /foundry/install
    /foundry/install/{identifier}/cancel
    /foundry/uninstall
    /foundry/update
    /foundry/update/{identifier}/cancel
    /github/gists/import
    /linkify
    /linkify/multiple
    /linkify/{share}/revoke
    /machine_learning/text/technical_language/generators/personification
    /macos/assets/create
    /model/update
    /model/{model}/download
    /model/{model}/download/cancel
    /model/{model}/load
    /model/{model}/scores/increment
    /model/{model}/unload
    /model_context_protocol/{schema_version}/messages
    /models/create
    /models/unload
    /models/{model}/delete
    /models/{model}/delete/cache
    /notifications/local/send
    /oauth/token
    /ollama/install
    /ollama/install/{identifier}/cancel
    /ollama/uninstall
    /ollama/update
    /ollama/update/{identifier}/cancel
    /open_ai/models/list
    /os/applet/launch
    /os/applet/restart
    /os/applet/terminate
    /os/browser/url/open
    /os/filesystem/file/open
    /os/filesystem/files/pick
    /os/filesystem/folders/pick
    /os/filesystem/path/verify
    /os/link_provider
    /os/memory/optimize
    /os/nano_models/prepare
    /os/permissions/request
    /os/settings/update
    /os/sign_in
    /os/sign_out
    /os/terminate
    /os/update/check
    /paddle_checkout/update_status
    /pkce/clear
    /pkce/code
    /pkce/response/code
    /pkce/token
    /qgpt/hints
    /qgpt/persons/related
    /qgpt/question
    /qgpt/relevance
    /qgpt/reprompt
    /search/tag_based
    /subscription/update
    /subscription/{subscription}/entities/associate/{entity}
    /subscription/{subscription}/entities/disassociate/{entity}
    /subscription/{subscription}/scores/increment
    /subscriptions/create
    /subscriptions/search
    /subscriptions/{subscription}/delete
    /tunnel/connect
    /tunnel/disconnect
    /tunnel/refresh
    /ultra_suite/assets/create
    /user/beta/status
    /user/checkout
    /user/clear
    /user/has_feature_access
    /user/manage/subscriptions
    /user/select
    /user/update
    /user/update/vanity
    /user/{user}/entities/associate/{entity}
    /user/{user}/entities/disassociate/{entity}
    /users/authenticate/from_token
    /users/{user}/disconnect
    /workstream/suggestions/refresh
    /workstream_pattern_engine/ingestions/create
    /workstream_pattern_engine/processors/vision/activate
    /workstream_pattern_engine/processors/vision/calibration/capture
    /workstream_pattern_engine/processors/vision/data/clear
    /workstream_pattern_engine/processors/vision/data/events/scoped_delete
    /workstream_pattern_engine/processors/vision/data/events/search
    /workstream_pattern_engine/processors/vision/data/events/{vision_event}/delete
    /workstream_pattern_engine/processors/vision/deactivate
    /workstream_pattern_engine/processors/{processor}/activate
    /workstream_pattern_engine/processors/{processor}/data/clear
    /workstream_pattern_engine/processors/{processor}/deactivate
    /workstream_summaries/create/from_message
    /workstream_summaries/create/summary
    /workstream_summaries/merge
    /workstream_summary/{workstream_summary}/regenerate/summary
    /{application}/intention
    /{application}/onboarded
    /{application}/reaction
    /{application}/suggestion
"""


def unserved() -> Iterator[tuple[str, str]]:
    """Method and path of each."""
    for method, paths in (("GET", _GET), ("POST", _POST)):
        yield from ((method, path) for path in paths.split())


def not_here(_call: Call) -> Response:
    """Refuse."""
    raise RefusedError(501, "The embedded server of pieces_orm keeps materials; it does not do this.")
