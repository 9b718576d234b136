"""What the tabs show comes from the features: their fixtures serve here too."""

from tests.inspectors.conftest import desk, first_diploma, open_to_inspector, second_diploma
from tests.records.conftest import classroom
from tests.transfers.conftest import exchange

__all__ = ["classroom", "desk", "exchange", "first_diploma", "open_to_inspector", "second_diploma"]
