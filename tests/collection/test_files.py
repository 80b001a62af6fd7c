"""Assets from files: encodings, and upserts that make one asset of each file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import pieces_orm
from pieces_orm import BatchError, InvalidValueError, SeveralFoundError, UnsupportedOperationError
from pieces_orm.collection import files
from pieces_orm.orm import associating
from pieces_orm.values import AnchorType
from tests.support import Requests

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")


@pytest.fixture
def session(either_server):
    with pieces_orm.connect(either_server.url) as session:
        _ = session.application
        yield session


@pytest.fixture
def folder(tmp_path):
    for name, content in (("a.py", b"a = 1\n"), ("b.py", b"b = 1\n"), ("c.png", PNG)):
        (tmp_path / name).write_bytes(content)
    return tmp_path


class NamedInBytes:
    """A path object of the kind that `os.scandir` of bytes gives."""

    def __fspath__(self):
        return b"latin.txt"


def writes(requests):
    reads = ("/query", "/fetch", "/exists")
    return [each for each in requests.take() if each.startswith("POST") and not each.endswith(reads)]


def test_files_are_read_by_their_encoding(session, tmp_path):
    latin, utf8, nulls = tmp_path / "latin.txt", tmp_path / "utf8.txt", tmp_path / "nulls.bin"
    latin.write_bytes("Gezeiten f\xfcr Sylt".encode("latin-1"))
    utf8.write_text("Gezeiten f\xfcr Sylt", "utf-8")
    nulls.write_bytes(b"a\0b")
    assert session.assets.create_from_file(latin, encoding="latin-1").text == "Gezeiten f\xfcr Sylt"
    made = session.assets.create_many([utf8, {"content": latin, "name": "bytes"}, nulls, "plain"])
    assert [(each.name, each.text) for each in made[:3]] == [
        ("utf8.txt", "Gezeiten f\xfcr Sylt"), ("bytes", None), ("nulls.bin", None),
    ]  # fmt: skip
    assert made[3].text == "plain"
    assert (made[1].bytes, made[2].bytes) == (latin.read_bytes(), b"a\0b")


def test_what_cannot_be_read_is_refused_before_any_request(session, tmp_path):
    file = tmp_path / "latin.txt"
    file.write_bytes("\xfc".encode("latin-1"))
    requests = Requests(session)
    with pytest.raises(InvalidValueError, match="is not utf-8"):
        session.assets.create_from_file(file, encoding="utf-8")
    for act in (
        lambda: session.assets.create_from_file(file, encoding="no such"),
        lambda: session.assets.create_from_file(file, encoding=""),
        lambda: session.assets.create_from_file(file, encoding="utf\0"),
        lambda: session.assets.create_from_file(file, encoding="\ud800"),
        lambda: session.assets.create_from_file(file, encoding="base64"),
        lambda: session.assets.create_many(["a text"], encoding="no such"),
        lambda: session.assets.create_from_file("a\0b"),
        lambda: session.assets.create_from_file(Path("a\0b")),
        lambda: session.assets.create_from_file(NamedInBytes()),
        lambda: session.assets.create_from_file(file, content="another"),
        lambda: session.assets.create_from_file(file, upsert=True, anchors=str(tmp_path)),
        lambda: session.assets.create_from_file(file, upsert=True, anchors=None),
        lambda: session.assets.create_from_file(file, encoding=5),
        lambda: session.assets.create_from_file(5),
        lambda: session.assets.create_from_file(file, upsert="yes"),
        lambda: session.assets.create_many([file, "a text"], upsert=True),
        lambda: session.assets.create_many([file, tmp_path / ".." / tmp_path.name / "latin.txt"], upsert=True),
        lambda: session.assets.create_many([{"content": file, "tags": [5]}], upsert=True),
    ):
        with pytest.raises(InvalidValueError):
            act()
    with pytest.raises(FileNotFoundError):
        session.assets.create_many([file, tmp_path / "missing"])
    with pytest.raises(TypeError, match="invented"):
        session.assets.create_from_file(file, upsert=True, invented=1)
    assert requests.take() == []


def test_an_upsert_makes_one_asset_of_a_file_and_writes_only_what_has_changed(session, folder):
    items = [{"content": path, "tags": ["files"]} for path in sorted(folder.iterdir())]
    told = []
    made = session.assets.create_many(items, upsert=True, progress=lambda *each: told.append(each))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [each.name for each in made] == ["a.py", "b.py", "c.png"]
    for asset, path in zip(made, sorted(folder.iterdir()), strict=True):
        assert [(each.fullpath, each.type) for each in asset.anchors] == [(str(path), AnchorType.FILE)]
    requests = Requests(session)
    assert session.assets.create_many(items, upsert=True) == made
    assert writes(requests) == []
    (folder / "b.py").write_text("b = 2\n")
    made[1].tags.add("mine")
    requests.take()
    assert session.assets.create_from_file(folder / "b.py", upsert=True) is made[1]
    assert writes(requests) == ["POST /format/update/value"]
    with pieces_orm.connect(session.url) as other:
        theirs = other.assets.get(made[1].id)
        assert theirs.text == "b = 2\n"
        assert "mine" in theirs.tags
        assert other.assets.create_from_file(folder / "a.py", upsert=True).id == made[0].id


def test_another_application_makes_its_own(either_server, session, folder):
    mine = session.assets.create_from_file(folder / "a.py", upsert=True)
    with pieces_orm.connect(either_server.url, application="OBSIDIAN") as other:
        theirs = other.assets.create_from_file(folder / "a.py", upsert=True)
        assert theirs.id != mine.id
        assert theirs.anchors.ids == mine.anchors.ids
    assert session.assets.create_from_file(folder / "a.py", upsert=True) is mine


def test_several_candidates_are_an_error_that_lists_them(session, folder):
    mine = session.assets.create_from_file(folder / "a.py", upsert=True)
    second = session.assets.create("a = 0", name="second")
    mine.anchors[0].assets.add(second)
    (folder / "a.py").write_text("a = 2\n")
    requests = Requests(session)
    with pytest.raises(SeveralFoundError, match="2 assets were made of") as caught:
        session.assets.create_many([folder / "a.py", folder / "b.py"], upsert=True)
    assert sorted(caught.value.ids) == sorted([mine.id, second.id])
    assert writes(requests) == []
    second.delete()
    assert session.assets.create_from_file(folder / "a.py", upsert=True) is mine
    assert mine.text == "a = 2\n"


def test_several_that_a_call_at_once_is_about_to_delete_are_no_error(session, folder, monkeypatch):
    mine = session.assets.create_from_file(folder / "a.py", upsert=True)
    second = session.assets.create("a = 1", anchors=[folder / "a.py"])
    with pieces_orm.connect(session.url) as other:
        look_up = files.natural_keys.look_up

        def look_up_first(*args):
            monkeypatch.undo()
            monkeypatch.setattr(files.natural_keys, "look_up", look_up_second)
            return look_up(*args)

        def look_up_second(*args):
            monkeypatch.undo()
            other.assets.ref(second.id).delete()
            return look_up(*args)

        monkeypatch.setattr(files.natural_keys, "look_up", look_up_first)
        assert session.assets.create_from_file(folder / "a.py", upsert=True) is mine


def test_bytes_that_have_changed_are_refused_before_anything_is_written(session, folder):
    made = session.assets.create_many([folder / "a.py", folder / "c.png"], upsert=True)
    (folder / "c.png").write_bytes(PNG + b"\0")
    (folder / "a.py").write_text("a = 3\n")
    requests = Requests(session)
    with pytest.raises(UnsupportedOperationError, match="delete the asset"):
        session.assets.create_many([folder / "a.py", folder / "c.png"], upsert=True)
    assert writes(requests) == []
    assert made[0].edits == {}
    made[1].delete()
    assert session.assets.create_from_file(folder / "c.png", upsert=True).bytes == PNG + b"\0"


def test_threads_that_upsert_one_file_at_once_make_one_asset(session, folder):
    barrier = Barrier(6)

    def act(_):
        barrier.wait()
        return session.assets.create_from_file(folder / "a.py", upsert=True)

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(act, range(6)))
    assert len({each.id for each in made}) == 1
    assert session.anchors[folder / "a.py"].assets.refs() == made[:1]


def test_of_two_programs_at_once_the_older_asset_stays(session, folder, monkeypatch):
    project = session.anchors.create(str(folder))
    bystander = session.assets.create("bystander", anchors=[project])
    with pieces_orm.connect(session.url) as other:
        theirs, create = [], files._create

        def forestalled(*args):
            monkeypatch.undo()
            theirs.append(other.assets.create_from_file(folder / "a.py", upsert=True).id)
            return create(*args)

        monkeypatch.setattr(files, "_create", forestalled)
        mine = session.assets.create_from_file(folder / "a.py", upsert=True, anchors=[project])
    assert mine.id == theirs[0]
    assert session.anchors[folder / "a.py"].assets.ids == (mine.id,)
    assert bystander in session.assets


def test_of_two_programs_at_once_the_asset_stays_that_others_could_see_first(session, folder, monkeypatch):
    with pieces_orm.connect(session.url) as other:
        theirs, change = [], associating.change

        def overtaken(*args, **options):
            # Another program makes and associates its own between the two requests of this one.
            monkeypatch.undo()
            theirs.append(other.assets.create_from_file(folder / "a.py", upsert=True).id)
            change(*args, **options)

        monkeypatch.setattr(associating, "change", overtaken)
        mine = session.assets.create_from_file(folder / "a.py", upsert=True)
        assert mine.id == theirs[0]
        assert session.anchors[folder / "a.py"].assets.ids == (mine.id,)
        assert other.assets.create_from_file(folder / "a.py", upsert=True).id == mine.id


def test_an_asset_that_could_not_be_associated_is_not_left_behind(either_server, session, folder):
    before = session.assets.count()
    anchor = session.anchors.get_or_create(folder / "a.py")
    either_server.faults.answer(500, path=f"/anchor/{anchor.id}/assets/associate")
    either_server.faults.answer(500, path="/asset/")
    either_server.faults.answer(500, path="/assets/associate_many")
    with pytest.raises((BatchError, pieces_orm.ServerError)):
        session.assets.create_from_file(folder / "a.py", upsert=True)
    either_server.faults.clear()
    assert session.assets.count() == before
    made = session.assets.create_from_file(folder / "a.py", upsert=True)
    assert made.anchors.refs() == [anchor]


def test_a_relative_path_is_made_absolute(session, folder, monkeypatch):
    monkeypatch.chdir(folder)
    Path("c:1.txt").write_text("like a drive of Windows")
    assert session.assets.create_from_file("c:1.txt", upsert=True).anchors[0].fullpath == str(folder / "c:1.txt")
    made = session.assets.create_from_file("a.py", upsert=True)
    assert session.assets.create_from_file(Path(folder) / "a.py", upsert=True) is made


def test_an_upsert_leaves_other_edits_unsaved(session, folder):
    asset = session.assets.create_from_file(folder / "a.py", upsert=True)
    asset.name = "not saved yet"
    (folder / "a.py").write_text("a = 2\n")
    assert session.assets.create_from_file(folder / "a.py", upsert=True) is asset
    assert asset.edits == {"name": "not saved yet"}
    with pieces_orm.connect(session.url) as other:
        assert (other.assets.get(asset.id).name, other.assets.get(asset.id).text) == ("a.py", "a = 2\n")
