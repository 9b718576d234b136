"""Builders of archives and of small SIECLE files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

FILES = Path(__file__).parent.parent / "imports" / "files"


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def students_xml(students: str, structures: str = "", encoding: str = "ISO-8859-15") -> str:
    """Return a SIECLE export of students around these elements."""
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<BEE_ELEVES VERSION="3.0">\n<PARAMETRES>\n'
        "<UAJ>0999001W</UAJ>\n<ANNEE_SCOLAIRE>2026</ANNEE_SCOLAIRE>\n</PARAMETRES>\n<DONNEES>\n"
        f"<ELEVES>\n{students}\n</ELEVES>\n<STRUCTURES>\n{structures}\n</STRUCTURES>\n</DONNEES>\n</BEE_ELEVES>\n"
    )


def student(siecle_id: str = "1", ine: str = "990000011DB", **children: str) -> str:
    """Return an ELEVE element; valid unless the test says otherwise."""
    values = {
        "ID_NATIONAL": ine,
        "NOM_DE_FAMILLE": "TESTEUR",
        "PRENOM": "Alix",
        "DATE_NAISS": "14/03/2010",
        "CODE_MEF": "24725510310",
    } | children
    texts = "".join(f"<{tag}>{text}</{tag}>" for tag, text in values.items())
    return f'<ELEVE ELEVE_ID="{siecle_id}">{texts}</ELEVE>'


def structures(siecle_id: str = "1", *codes: str, kind: str = "D") -> str:
    """Return the STRUCTURES_ELEVE of a pupil."""
    rows = "".join(
        f"<STRUCTURE><CODE_STRUCTURE>{code}</CODE_STRUCTURE><TYPE_STRUCTURE>{kind}</TYPE_STRUCTURE></STRUCTURE>"
        for code in codes
    )
    return f'<STRUCTURES_ELEVE ELEVE_ID="{siecle_id}">{rows}</STRUCTURES_ELEVE>'
