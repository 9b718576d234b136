"""The schools open to an inspector, in a form that lets the sign-in not depend on the feature that opens them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cpro.core.tenancy import Scope


@dataclass(frozen=True)
class OpenSchool:
    """A school currently open to an inspector: the details shown to them, and the scope that limits them to it."""

    establishment_id: int
    name: str
    uai: str
    city: str
    starts_on: date
    ends_on: date
    #: short labels; empty when every diploma is open
    diplomas: tuple[str, ...]
    scope: Scope
