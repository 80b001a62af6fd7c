"""The page of kinds says what the declarations say."""

from .kinds import page
from .pages import ROOT


def test_the_page_of_kinds_is_up_to_date():
    assert (ROOT / "docs" / "kinds.md").read_text("utf-8") == page(), "python -m tests.docs.kinds > docs/kinds.md"
