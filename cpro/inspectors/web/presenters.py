"""How pages describe a mandate."""

from __future__ import annotations

from cpro.inspectors.models import Mandate


def describe_diplomas(mandate: Mandate) -> str:
    """Return the diplomas of a mandate as text; they must be loaded with it."""
    return (
        "tous les diplômes"
        if mandate.all_diplomas
        else ", ".join(each.diploma.short_label for each in mandate.diplomas)
    )
