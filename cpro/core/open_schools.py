"""The schools open to an inspector: how the sign-in reads them without knowing the feature that opens them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cpro.core.tenancy import Scope


@dataclass(frozen=True)
class OpenSchool:
    """A school open to an inspector now: what they read of it, and the scope that holds them to it."""

    establishment_id: int
    name: str
    uai: str
    city: str
    starts_on: date
    ends_on: date
    #: short labels; empty when every diploma is open
    diplomas: tuple[str, ...]
    scope: Scope
