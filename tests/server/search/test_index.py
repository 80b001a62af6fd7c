"""The search index of assets."""

from pieces_orm.wire.kinds import KINDS


def test_the_index_follows_every_change(wire):
    def hits(query):
        return [hit["identifier"] for hit in wire.get("/assets/search", params={"query": query})["iterable"]]

    asset = wire.make_asset("first", name="n")
    id = asset["id"]
    wire.post(
        "/format/update/value",
        {**asset["original"]["reference"], "asset": {"id": id}, "fragment": {"string": {"raw": "second"}}},
    )
    assert (hits("first"), hits("second")) == ([], [id])
    tag = wire.make(KINDS["tag"], text="ebbing")
    wire.post(f"/tag/{tag['id']}/assets/associate/{id}")
    assert hits("ebbing") == [id]
    wire.post("/tag/update", {**tag, "text": "flooding"})
    assert (hits("ebbing"), hits("flooding")) == ([], [id])
    wire.post(f"/asset/{id}/tags/disassociate/{tag['id']}")
    assert hits("flooding") == []
    wire.post("/asset/update", {**asset, "name": "renamed"})
    assert hits("renamed") == [id]
    wire.delete(KINDS["asset"], id)
    assert hits("renamed") == hits("second") == []
