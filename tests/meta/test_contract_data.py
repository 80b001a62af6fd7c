"""The data of the contract that the server ships says what the contract says."""

from .contract_data import SHIPPED, text


def test_the_shipped_data_is_that_of_the_contract():
    assert SHIPPED.read_text("utf-8") == text(), "run: python -m tests.meta.contract_data"
