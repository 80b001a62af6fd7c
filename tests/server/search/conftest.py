import pytest

from pieces_orm.server import Server
from tests.server.support import Wire


@pytest.fixture(scope="module")
def sea():
    """A server with five assets, by name."""
    with Server() as server:
        wire = Wire(server)
        wire.assets = {
            "table": wire.make_asset(
                "def height(hour):\n    return hour", name="tide table", tags=[{"text": "tides"}, {"text": "moon"}]
            ),
            "tidal": wire.make_asset("const tidal = (h) => h * 2;", name="script"),
            "notes": wire.make_asset(
                "Meet at the harbour", name="notes", description="about the spring tide", tags=[{"text": "tides"}]
            ),
            "site": wire.make_asset(
                "x", name="link", websites=[{"name": "Almanac", "url": "https://almanac.example/tables"}]
            ),
            "who": wire.make_asset("fn main() {}", name="work", persons=[{"type": {"basic": {"name": "Ada Byron"}}}]),
        }
        yield wire
