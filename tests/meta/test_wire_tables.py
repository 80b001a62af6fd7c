"""The tables of pieces_orm.wire against the contract, both ways: nothing that the wire lacks, nothing left out."""

import json

import pytest

from pieces_orm.wire import routes
from pieces_orm.wire.associations import ASSOCIATIONS
from pieces_orm.wire.kinds import KINDS, Route

from .sources import ROOT

CONTRACT = ROOT / "tests" / "contract"
MATERIALS = json.loads((CONTRACT / "materials.json").read_text("utf-8"))["materials"]
RELATIONS = json.loads((CONTRACT / "associations.json").read_text("utf-8"))["relations"]
PATHS = json.loads((CONTRACT / "pieces-openapi.json").read_text("utf-8"))["paths"]

ACCOUNTS = {"entity", "subscription", "user"}  # their four associations stay out: accounts are no materials
EXPECTED = {(r["owner"], r["role_path"]): r for r in RELATIONS if not ACCOUNTS & {r["owner"], r["other"]}}

# The contract's word for a verb. search, stream and batch are lists of operations, and are matched by path.
OPERATIONS = {
    "read": "snapshot_one", "all": "snapshot_all", "ids": "identifiers", "create": "create", "update": "update",
    "delete": "delete", "rename": "rename", "score": "scores_increment", "exists": "exists",
}  # fmt: skip

# Not the route that the contract names first, with the reason.
OTHER_ROUTE = {("asset", "read"): "/assets/{asset}"}  # the seed pages read an asset here
# On the wire, but not a verb of the table, with the reason.
NOT_VERBS = {
    ("asset", "search"),  # two searches with arguments of their own: ASSETS_SEARCH, ASSETS_SEARCH_FILTERS
}
# The contract declares no answer; the official client decodes the frames as it does those of the other streams.
NO_ANSWER_DECLARED = {("conversation", "stream")}

PLACES = [(kind.name, verb) for kind in KINDS.values() for verb in kind.routes]
SINGLES = sorted(name for name, value in vars(routes).items() if isinstance(value, Route))


def contract_routes(kind: str, verb: str) -> dict[tuple[str, str], dict]:
    """The operations of the contract that do a verb for a kind, by method and path."""
    material = MATERIALS[kind]
    if verb == "stream":
        found = [op for op in material["streams"] if op["path"].endswith("/stream/identifiers")]
    elif verb == "batch":
        found = [op for op in material["other_operations"] if "/batch" in op["path"]]
    elif verb == "search":
        # /conversation/{conversation}/search looks inside one material: no search among all.
        found = [op for op in material["operations"]["search"] if "{" not in op["path"]]
    else:
        found = [op for op in [material["operations"][OPERATIONS[verb]]] if op]
        other = OTHER_ROUTE.get((kind, verb))
        if other:
            found = [op for op in material["alternative_routes"] if op["path"] == other]
    return {(op["method"], op["path"]): op for op in found}


def documented(route: Route) -> dict:
    assert route.path in PATHS, f"the wire has no {route.path}"
    return PATHS[route.path][route.method.lower()]


def query_parameters(operation: dict) -> list[str]:
    return [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]


def test_the_kinds_are_materials():
    assert set(KINDS) <= set(MATERIALS)
    assert len(KINDS) == 19


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_names_of_a_kind_are_those_of_the_wire(kind):
    material = MATERIALS[kind.name]
    assert (kind.singular, kind.plural, kind.parameter, kind.schema, kind.stream) == (
        material["path_singular"],
        material["path_plural"],
        material["path_parameter"],
        material["item_schema"],
        material["streamed_identifier_field"],
    )
    assert kind.score in material["score_increment_fields"] or (kind.score is None and not material["has_score"])


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_has_exactly_the_verbs_of_the_wire(kind):
    on_the_wire = {verb for verb in [*OPERATIONS, "search", "stream", "batch"] if contract_routes(kind.name, verb)}
    on_the_wire -= {verb for name, verb in NOT_VERBS if name == kind.name}
    assert set(kind.routes) == on_the_wire


@pytest.mark.parametrize(("kind", "verb"), PLACES)
def test_a_route_is_that_of_the_contract(kind, verb):
    route = KINDS[kind].routes[verb]
    candidates = contract_routes(kind, verb)
    assert (route.method, route.path) in candidates
    assert list(route.query) == list(candidates[route.method, route.path].get("query", {}))


@pytest.mark.parametrize(("kind", "verb"), PLACES)
def test_a_route_asks_for_what_the_server_answers(kind, verb):
    route = KINDS[kind].routes[verb]
    operation = documented(route)
    assert list(route.query) == query_parameters(operation)
    returns = contract_routes(kind, verb)[route.method, route.path]["returns"]
    if (kind, verb) in NO_ANSWER_DECLARED:
        assert (operation["x-accept"], returns) == ([], None)
        return
    assert route.accept == ", ".join(operation["x-accept"])
    answer = {None: "nothing", "str": "text"}.get(returns, "json")
    # One create answers a collection where all others answer the material.
    assert route.answer == ("collection" if (kind, verb) == ("share", "create") else answer)
    assert (route.answer == "collection") == (verb == "create" and returns == "Shares")


@pytest.mark.parametrize("name", SINGLES)
def test_a_route_outside_the_kinds_is_that_of_the_contract(name):
    route = getattr(routes, name)
    operation = documented(route)
    assert list(route.query) == query_parameters(operation)
    assert route.accept == ", ".join(operation["x-accept"])


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_gone_is_the_status_that_the_contract_declares(kind):
    declared = contract_routes(kind.name, "read")[kind.routes["read"].method, kind.routes["read"].path]["status"]
    errors = {status for status in declared if status != "200"}
    # Where nothing is declared (format, share) the kind says 410, as most do.
    assert not errors or str(kind.missing_status) == ("410" if "410" in errors else "500")


def test_the_110_associations_are_those_of_the_contract():
    ours = {(row.owner.name, row.segment) for row in ASSOCIATIONS}
    assert ours == set(EXPECTED)
    assert len(ASSOCIATIONS) == len(EXPECTED) == 110


@pytest.mark.parametrize("row", ASSOCIATIONS, ids=lambda row: f"{row.owner.name}.{row.relation}")
def test_an_association_is_that_of_the_contract(row):
    contract = EXPECTED[row.owner.name, row.segment]
    assert row.other.name == contract["other"]
    assert row.path("associate") == contract["associate"]["path"]
    assert row.path("disassociate") == contract["disassociate"]["path"]
    assert f"{row.owner.schema}.{row.wire}" == contract["relation_wire_field_on_owner"]
    assert ("full" if row.full else "reference") == contract["nesting_on_owner"]
    assert [row.older] == ([other["path"] for other in contract["other_spellings"]] or [None])
