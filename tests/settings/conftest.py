"""What the tabs show comes from the features: their fixtures serve here too."""

from tests.records.conftest import classroom
from tests.transfers.conftest import exchange

__all__ = ["classroom", "exchange"]
