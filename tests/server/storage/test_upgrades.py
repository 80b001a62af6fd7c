"""Older files: what an upgrade adds, and what stays as it was."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pieces_orm.server import Server
from pieces_orm.wire.association_reads import FAMILIES
from tests.server.support import Wire

FILES = Path(__file__).parent / "files"
# The ids that version 1 gave to the rows of its association families: the family and the ids of both materials.
ROWS = json.loads((FILES / "version-1.rows.json").read_text("utf-8"))


@pytest.fixture(params=["version-0", "version-1"])
def old(request, tmp_path):
    """A file that an older version has written."""
    path = tmp_path / "pieces.db"
    path.write_bytes(gzip.decompress((FILES / f"{request.param}.db.gz").read_bytes()))
    return path


def schema(path):
    """Columns and indexes of every table, whatever the text that made them."""
    with closing(sqlite3.connect(path)) as opened:
        found = {}
        for (table,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            indexes = {
                (unique, tuple(column[2] for column in opened.execute(f'PRAGMA index_info("{name}")')))
                for _, name, unique, *_ in opened.execute(f"PRAGMA index_list({table})")
            }
            found[table] = (opened.execute(f"PRAGMA table_info({table})").fetchall(), indexes)
        named = opened.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        return found, sorted(named)


def select(path, sql):
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(sql).fetchall()


def rows(wire):
    """Every row of every family by its id, over all materials that are ends of an edge."""
    found = {}
    with wire.server._store.read() as reader:
        for family in FAMILIES:
            side = family.sides[0]
            owners = reader.ids(side.owner.name)
            for row in wire.post(side.bulk.path, {"iterable": owners})["iterable"]:
                found[row["id"]] = (family.name, row)
    return found


def test_an_upgraded_file_has_the_tables_of_a_new_one(old, tmp_path):
    for path in (old, tmp_path / "new.db"):
        with Server(path):
            pass
    assert schema(old) == schema(tmp_path / "new.db")


def test_an_upgrade_keeps_every_edge_in_its_place_and_gives_it_an_id_and_dates(old):
    columns = "seq, relation, kind_a, id_a, kind_b, id_b"
    before = select(old, f"SELECT {columns} FROM edge ORDER BY seq")
    assert before
    with Server(old):
        pass
    assert select(old, f"SELECT {columns} FROM edge ORDER BY seq") == before
    ((edges, ids),) = select(old, "SELECT count(*), count(DISTINCT id) FROM edge")
    assert edges == ids == len(before)
    older = (
        "JOIN material ON (kind, material.id) IN ((kind_a, id_a), (kind_b, id_b)) AND material.created > edge.created"
    )
    assert select(old, f"SELECT * FROM edge {older}") == []
    assert select(old, "SELECT * FROM edge WHERE created <> updated OR created NOT LIKE '20%Z'") == []


@pytest.mark.parametrize("old", ["version-1"], indirect=True)
def test_rows_of_version_1_keep_the_ids_that_it_gave_them(old):
    with Server(old) as server:
        wire = Wire(server)
        found = rows(wire)
        assert {id: family for id, (family, _) in found.items()} == {id: family for id, (family, *_) in ROWS.items()}
        for family, row in found.values():
            (first, second) = next(each for each in FAMILIES if each.name == family).sides
            assert sorted((row[first.owner_key], row[second.owner_key])) == ROWS[row["id"]][1:]
        user = wire.get("/user")["user"]["id"]
        assert wire.get(f"/user/{user}/person")["type"]["platform"]["id"] == user
    with Server(old) as server:
        assert rows(Wire(server)) == found


def test_an_older_copy_with_another_id_becomes_a_material_of_its_own_again(tmp_path):
    path = tmp_path / "pieces.db"
    with Server(path) as server:
        wire = Wire(server)
        original, copy = wire.make_asset("x", name="original"), wire.make_asset("y", name="copy", tags=[{"text": "t"}])
    format = copy["formats"]["iterable"][0]["id"]
    lies = {"id": original["id"], "created": {"value": "1999"}, "tags": {"iterable": []}, "original": {"id": "x"}}
    with closing(sqlite3.connect(path)) as database:
        for kind, id, keys in (("asset", copy["id"], lies), ("format", format, {"asset": original["id"]})):
            (document,) = database.execute("SELECT document FROM material WHERE id = ?", (id,)).fetchone()
            text = json.dumps({**json.loads(document), **keys})
            database.execute("UPDATE material SET document = ? WHERE kind = ? AND id = ?", (text, kind, id))
        database.execute("PRAGMA user_version = 2")
        database.commit()
    with Server(path) as server:
        wire = Wire(server)
        assert {asset["id"] for asset in wire.get("/assets")["iterable"]} == {original["id"], copy["id"]}
        found = wire.get(f"/assets/{copy['id']}")
        assert found["created"]["value"] == copy["created"]["value"]
        assert (found["original"]["id"], len(found["tags"]["iterable"])) == (format, 1)
        keys = json.loads(wire.http.get(f"{server.url}/assets/{copy['id']}").text, object_pairs_hook=list)
        assert len({key for key, _ in keys}) == len(keys)
