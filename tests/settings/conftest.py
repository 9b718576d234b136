"""What the tabs show comes from the features: their fixtures serve here too."""

from tests.transfers.conftest import exchange

__all__ = ["exchange"]
