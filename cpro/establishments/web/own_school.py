"""What people read about their own school outside its settings: a pupil's « Mon établissement », the privacy notice."""

from __future__ import annotations

from typing import Any

from cpro.core.permissions import Permission, can
from cpro.core.shown import labels_of
from cpro.core.web.current_user import current_principal
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment

#: Shown under the label of their form, if filled in; the last three are an apprentice's contacts besides the school.
_FACTS = ("academy", "phone", "dreets", "mcpfa", "greta_cfa")


def describe_own_school() -> dict[str, Any] | None:
    """Return, for a pupil, the name and contact details of the school; None for any other role."""
    if not can(current_principal(), Permission.OWN_RECORDS):
        return None
    school, labels = get_current_establishment(), labels_of(Establishment)
    facts = [
        ("Nom", school.name or school.code),
        ("Type", school.kind),
        ("Adresse", _address(school)),
        *((labels[name], getattr(school, name)) for name in _FACTS),
    ]
    links = [
        (labels["email"], f"mailto:{school.email}", school.email),
        (labels["website"], school.website, school.website),
    ]
    return {
        "facts": [(label, text) for label, text in facts if text],
        "links": [link for link in links if link[2]],
    }


def describe_data_protection() -> dict[str, str]:
    """Return the name and the e-mail address of the DPD of the current school; either may be empty."""
    school = get_current_establishment()
    return {"name": school.dpd_name, "email": school.dpd_email}


def _address(school: Establishment) -> str:
    town = " ".join(filter(None, [school.postal_code, school.city]))
    return ", ".join(filter(None, [school.address_line1, school.address_line2, town]))
