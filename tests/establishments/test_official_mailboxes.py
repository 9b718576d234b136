"""The closed table from which a first head's address is drawn."""

from __future__ import annotations

import pytest

from cpro.core.validators import normalise_email
from cpro.establishments.official_mailboxes import DOMAINS, find_official_mailbox

#: 01 to 95 but for Corsica's old number, Corsica's two, the five overseas départements.
DEPARTMENTS = {f"{number:03d}" for number in range(1, 96) if number != 20} | {
    *("620", "720"),
    *("971", "972", "973", "974", "976"),
}


def test_official_mailboxes_have_every_departement_and_nothing_else() -> None:
    assert set(DOMAINS) == DEPARTMENTS
    assert len(DOMAINS) == 101
    assert len(set(DOMAINS.values())) == 30


@pytest.mark.parametrize(
    ("uai", "mailbox"),
    [
        ("0570109J", "ce.0570109j@ac-nancy-metz.fr"),
        ("0750001A", "ce.0750001a@ac-paris.fr"),
        ("0131234B", "ce.0131234b@ac-aix-marseille.fr"),
        ("0641234B", "ce.0641234b@ac-bordeaux.fr"),
        ("0501234B", "ce.0501234b@ac-normandie.fr"),
        ("6200001G", "ce.6200001g@ac-corse.fr"),
        ("7200009X", "ce.7200009x@ac-corse.fr"),
        ("9740002J", "ce.9740002j@ac-reunion.fr"),
        ("9760127J", "ce.9760127j@ac-mayotte.fr"),
        ("0941234B", "ce.0941234b@ac-creteil.fr"),
        ("0951234B", "ce.0951234b@ac-versailles.fr"),
    ],
)
def test_find_official_mailbox_the_mailbox_follows_from_the_uai(uai: str, mailbox: str) -> None:
    assert find_official_mailbox(uai) == mailbox
    assert normalise_email(mailbox) == mailbox


@pytest.mark.parametrize("uai", ["0999001W", "0200001A", "9750001C", "9830001A", "0960001A", "0000001A", "", None])
def test_find_official_mailbox_a_school_outside_the_table_has_none(uai: str | None) -> None:
    assert find_official_mailbox(uai) is None
