"""What all passports of a school have in common: its particulars, pictures, signatory, and verification address."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import PurePosixPath

from cpro.core.storage import FileStorage, StoredFileMissing
from cpro.establishments.models import Establishment, PictureKind
from cpro.establishments.queries import find_picture

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """A picture of the school as printed: its file and its size in millimetres."""

    file: str
    content: bytes
    width: float
    height: float


@dataclass(frozen=True)
class Letterhead:
    """A school as its passports show it; `check_url` is the public verification page, without a code."""

    name: str
    uai: str
    email: str
    address: tuple[str, ...]
    city: str
    timezone: str
    signatory_name: str
    signatory_function: str
    check_url: str
    logo: Picture | None = None
    stamp: Picture | None = None

    @property
    def pictures(self) -> dict[str, bytes]:
        """Return the files that the template needs."""
        return {each.file: each.content for each in (self.logo, self.stamp) if each}


def get_letterhead(school: Establishment, *, storage: FileStorage, check_url: str) -> Letterhead:
    """Return the current letterhead of the current school. Raises `StorageUnavailable`."""
    town = " ".join(part for part in (school.postal_code, school.city) if part)
    return Letterhead(
        name=school.name,
        uai=school.uai or "",
        email=school.email,
        address=tuple(part for part in (school.address_line1, school.address_line2, town) if part),
        city=school.city,
        timezone=school.timezone,
        signatory_name=school.signatory_name,
        signatory_function=school.signatory_function,
        check_url=check_url,
        logo=_picture(PictureKind.LOGO, storage),
        stamp=_picture(PictureKind.STAMP, storage),
    )


def _picture(kind: PictureKind, storage: FileStorage) -> Picture | None:
    """Return the current picture of a kind, scaled to fill its box; None if there is none or its file is missing."""
    version = find_picture(kind)
    if version is None:
        return None
    try:
        with storage.open(version.stored_name) as file:
            content = file.read()
    except StoredFileMissing:
        logger.error("the file of picture version %d is missing: passports are rendered without it", version.id)
        return None
    box_width, box_height = kind.print_box_mm
    scale = min(box_width / version.width, box_height / version.height)
    return Picture(
        f"{kind.value}{PurePosixPath(version.stored_name).suffix}",
        content,
        round(version.width * scale, 3),
        round(version.height * scale, 3),
    )
