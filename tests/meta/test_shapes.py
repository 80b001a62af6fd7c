"""The table of shapes that the server ships says what the contract says."""

from .shapes import text
from .sources import ROOT


def test_the_table_of_shapes_is_the_contracts():
    shipped = ROOT / "pieces_orm" / "server" / "domain" / "shapes.json"
    assert shipped.read_text("utf-8") == text(), "python -m tests.meta.shapes > pieces_orm/server/domain/shapes.json"
