"""Each recipe is run, and what it leaves behind is looked at; none is longer than 14 lines."""

from __future__ import annotations

import ast
import asyncio
import threading

import pytest

import pieces_orm
from tests.support import wait_for

from .pages import DOCS, snippets

PAGE = DOCS / "recipes.md"
MOST_LINES = 14


@pytest.fixture(scope="module")
def recipes():
    names = {"__name__": "recipes"}
    exec(compile(snippets(PAGE), str(PAGE), "exec"), names)
    return names


def test_there_are_twelve_recipes_and_each_is_short():
    headings = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("## ")]
    assert len(headings) == 12
    for node in ast.parse(snippets(PAGE)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < MOST_LINES, node.name


def test_a_folder_is_stored_twice_without_doubling(recipes, pieces, tmp_path):
    (tmp_path / "sea" / "tides").mkdir(parents=True)
    (tmp_path / "one.py").write_text("one = 1")
    (tmp_path / "sea" / "tides" / "two.py").write_text("two = 2")
    first = recipes["store_folder"](pieces, tmp_path)
    assert [(each.name, {tag.text for tag in each.tags}) for each in first] == [
        ("one.py", set()), ("two.py", {"sea", "tides"}),
    ]  # fmt: skip
    (tmp_path / "one.py").write_text("one = 1.5")
    assert recipes["store_folder"](pieces, tmp_path) == first
    assert [each.refresh().text for each in first] == ["one = 1.5", "two = 2"]
    assert (pieces.assets.count(), pieces.tags.count()) == (2, 2)


def test_the_newest_of_a_language_are_found_by_name(recipes, pieces):
    for name in ("b.py", "c.py", "a.py", "x.js"):
        pieces.assets.create("x = 1", name=name, language=name[-2:])
    assert [each.name for each in recipes["newest_python"](pieces)] == ["a.py", "b.py", "c.py"]
    assert [each.name for each in recipes["newest_python"](pieces, 2)] == ["a.py", "c.py"]


def test_the_oldest_of_duplicates_stays(recipes, pieces):
    made = pieces.assets.create_many(["x = 1", "y = 2", "x = 1", b"\x00\x01", "x = 1", b"\x00\x01"])
    assert set(recipes["delete_duplicates"](pieces)) == {made[2], made[4], made[5]}
    assert set(pieces.assets) == {made[0], made[1], made[3]}


def test_a_tag_is_renamed_and_merged(recipes, pieces):
    one, two = pieces.assets.create("x", tags=["sea"]), pieces.assets.create("y", tags=["ocean"])
    renamed = recipes["rename_tag"](pieces, "sea", "water")
    assert ("water" in one.tags, pieces.tags.find("sea")) == (True, None)
    assert recipes["rename_tag"](pieces, "ocean", "water") is renamed
    assert {tag.text for tag in pieces.tags} == {"water"}
    assert set(renamed.refresh().assets) == {one, two}


def test_markdown_has_front_matter(recipes, pieces, tmp_path):
    asset = pieces.assets.create("x = 1", name="one.py", language="py", tags=["sea"], description='a "first"')
    recipes["write_markdown"](pieces, tmp_path)
    (page,) = tmp_path.iterdir()
    _, head, body = page.read_text("utf-8").split("---\n", 2)
    assert head == (f'id: "{asset.id}"\ncreated: "{asset.created.isoformat()}"\nlanguage: "py"\ntags: ["sea"]\n')
    assert body.strip() == asset.to_markdown().strip()
    assert ("# one.py" in body, 'a "first"' in body, "```py\nx = 1\n```" in body, "#sea" in body) == (True,) * 4


def test_assets_are_copied_with_what_belongs_to_them(recipes, pieces):
    site = "https://tides.example"
    pieces.assets.create("x = 1", name="one.py", language="py", tags=["sea"], websites=[site], description="first")
    pieces.assets.create(b"\x89PNG\r\n\x1a\n\x00", name="two.png")
    with pieces_orm.embedded() as target:
        copies = recipes["copy_assets"](pieces, target)
        text, image = sorted(copies, key=lambda each: each.name)
        assert (text.text, text.name, text.language, text.description) == ("x = 1", "one.py", "py", "first")
        assert ([tag.text for tag in text.tags], [each.url for each in text.websites]) == (["sea"], [site])
        assert (image.bytes, image.language) == (b"\x89PNG\r\n\x1a\n\x00", "png")


def is_live(session):
    """An event that is set when a stream of the session is live."""
    live = threading.Event()
    session.signals.stream_state.connect(lambda _, state, **__: state == "live" and live.set(), weak=False)
    return live


def test_the_feed_tells_what_another_program_does(recipes, pieces, other):
    live, lines = is_live(pieces), []

    def read():
        for line in recipes["feed"](pieces):
            lines.append(line)  # noqa: PERF402 each as it comes

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert live.wait(5)
        other.assets.create("x = 1", name="tide.py")
        wait_for(lambda: lines)
        pieces.assets.create("y = 2", name="moon.py")
        wait_for(lambda: len(lines) > 1)
    finally:
        pieces.close()
        thread.join(5)
    assert lines == ["remote: tide.py was created", "local: moon.py was created"]


def test_asyncio_gets_the_next_asset_on_its_loop(recipes, pieces_server, other):
    async def main():
        waiting = asyncio.create_task(recipes["next_asset"](pieces_server.url))
        while not waiting.done():
            # One after another, as nobody tells when the recipe listens.
            await asyncio.to_thread(other.assets.create, "x = 1")
            await asyncio.wait([waiting], timeout=0.05)
        return waiting.result()

    assert asyncio.run(asyncio.wait_for(main(), 10)) == "x = 1"


def test_urls_in_texts_become_websites(recipes, pieces):
    asset = pieces.assets.create("# See https://tides.example/a, (https://moon.example).\nx = 1", name="one.py")
    bare = pieces.assets.create("y = 2")
    recipes["link_websites"](pieces)
    recipes["link_websites"](pieces)
    assert {site.url for site in asset.websites} == {"https://tides.example/a", "https://moon.example"}
    assert (len(bare.websites), pieces.websites.count()) == (0, 2)


def test_the_test_of_an_application_passes(recipes, pieces, pieces_server):
    recipes["test_a_failed_save_loses_nothing"](pieces, pieces_server)
    assert [asset.name for asset in pieces.assets] == ["final"]


def test_a_back_end_renames_in_scopes(recipes, pieces, pieces_server, monkeypatch):
    monkeypatch.setenv("PIECES_URL", pieces_server.url)
    assets = pieces.assets.create_many(["x = 1", "y = 2", "z = 3"])
    app = recipes["app"]

    async def main():
        async with app.router.lifespan_context(app):
            calls = [asyncio.to_thread(recipes["rename_asset"], asset.id, f"{asset.id}.py") for asset in assets]
            return await asyncio.gather(*calls)

    assert asyncio.run(main()) == [{"saved": ["name"]}] * 3
    assert [asset.refresh().name for asset in assets] == [f"{asset.id}.py" for asset in assets]


def test_the_overview_tells_what_there_is(recipes, pieces, capsys):
    pieces.assets.create("x = 1", name="one.py", language="py", tags=["sea"])
    pieces.assets.create("y = 2", name="two.py", language="py")
    recipes["overview"](pieces)
    out = capsys.readouterr().out
    assert "'Asset': 2" in out
    assert "[('py', 2)] 1 without tags" in out
    assert "POST /assets/query" in out
    assert "# two.py" in out
