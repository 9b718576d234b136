"""What is sealed or hashed under the key of one application means nothing to another."""

from __future__ import annotations

import pytest
from flask import Flask

from cpro.core.secrets import Unreadable, keyed_hash, seal, unseal

pytestmark = pytest.mark.unit


def application_with(**settings: object) -> Flask:
    made = Flask(__name__)
    made.config.from_mapping(settings)
    return made


class TestSeal:
    def test_seal_and_keyed_hash_of_one_application_are_closed_to_another(self) -> None:
        first, second = application_with(SECRET_KEY="one"), application_with(SECRET_KEY="two")

        with first.app_context():
            sealed, hashed = seal("mail", "bonjour"), keyed_hash("failures", "chef")
        with second.app_context():
            assert keyed_hash("failures", "chef") != hashed
            with pytest.raises(Unreadable):
                unseal("mail", sealed)
