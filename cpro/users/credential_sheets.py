"""Render activation sheets on paper, 1, 2 or 8 per page, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import urlencode

from cpro.core.documents import render_pdf
from cpro.core.formatting import format_day_of, person_name
from cpro.core.spreadsheets import csv_lines
from cpro.users.operations.codes import VALIDITY
from cpro.users.operations.credential_sheets import CredentialSheet

LAYOUTS = (1, 2, 8)
_COLUMNS = ("Division", "Nom", "Prénom", "Rôle", "Adresse de connexion", "Établissement", "Identifiant", "Code")


@dataclass(frozen=True)
class PrintedSchool:
    """The school's data on a sheet: name, code at sign-in, URL of the sign-in page, logo and its stored name.

    `timezone` is the school's. `activation` is the URL of the activation page, for the QR code; "" for none.
    """

    name: str
    code: str
    address: str
    logo: bytes | None = None
    logo_name: str = ""
    activation: str = ""
    timezone: str = ""


def render_credential_sheets(
    sheets: Sequence[CredentialSheet],
    school: PrintedSchool,
    *,
    divisions: Mapping[int, str],
    layout: int,
    now: datetime,
) -> bytes:
    """Return the sheets as a PDF, `layout` per page (one of `LAYOUTS`); `divisions` maps account ids to divisions."""
    logo = f"logo{PurePosixPath(school.logo_name).suffix}" if school.logo else ""
    data = {
        "layout": layout,
        "school": {"name": school.name, "code": school.code, "address": school.address, "logo": logo},
        "until": format_day_of(now + VALIDITY, school.timezone),
        "sheets": [
            {
                "name": person_name(sheet.last_name, sheet.first_name),
                "role": sheet.role.label,
                "division": divisions.get(sheet.account_id, ""),
                "login": sheet.login,
                "code": sheet.code,
                "qr": _render_qr(school, sheet),
            }
            for sheet in sheets
        ],
    }
    return render_pdf("users/credential_sheets.typ", data, pictures={logo: school.logo} if school.logo else None)


def _render_qr(school: PrintedSchool, sheet: CredentialSheet) -> str:
    """Return the QR code of the activation page, with the school and login filled in, as SVG, or "".

    It never contains the activation code: URLs remain in the browser's history and in the logs of intermediaries.
    """
    if not school.activation:
        return ""
    import segno  # imported only where sheets are printed

    asked = urlencode({"establishment": school.code, "login": sheet.login})
    code = segno.make(f"{school.activation}?{asked}", error="l", micro=False)  # fewer, larger modules
    return str(code.svg_inline(border=2, dark="#000", light="#fff"))


def sheet_lines(
    sheets: Sequence[CredentialSheet], school: PrintedSchool, *, divisions: Mapping[int, str]
) -> Iterator[str]:
    """Return the sheets as lines of CSV, for a mail merge."""
    rows = (
        (
            divisions.get(sheet.account_id, ""),
            sheet.last_name,
            sheet.first_name,
            sheet.role.label,
            school.address,
            school.code,
            sheet.login,
            sheet.code,
        )
        for sheet in sheets
    )
    return csv_lines([_COLUMNS, *rows])
