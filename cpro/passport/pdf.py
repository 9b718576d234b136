"""Render the passport of a pupil as a PDF, with the figures that the public page of its code shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cpro.core.clock import today_in
from cpro.core.documents import render_counted_pdf
from cpro.core.file_names import safe_file_name
from cpro.core.formatting import format_date, format_day_of, of_name, person_name, plural, spoken_name
from cpro.core.printed_codes import generate_printed_code, group_printed_code
from cpro.core.richtext import to_blocks
from cpro.passport.letterhead import Letterhead, Picture
from cpro.passport.level_charts import build_level_charts
from cpro.passport.queries import Portfolio
from cpro.records.levels import describe_scale
from cpro.records.models import Bilan, Fiche
from cpro.students.models import Student

TEMPLATE = "passport/passport.typ"
#: × 5 bits: 80 bits, unguessable.
CODE_LENGTH = 16

#: A run of letters too long for a line; Typst breaks at spaces, hyphens and slashes only.
_ENDLESS = re.compile(r"[^\s\-/\u200b]{20}(?=[^\s\-/]{12})")
#: Characters that are not readable text.
_NO_WORDS = frozenset({"svg", "url", "link", "file"})
_HEADER_LENGTH = 60


@dataclass(frozen=True)
class Passport:
    """A rendered passport, not yet issued: the file, and the values to store in its row."""

    student_id: int
    student_name: str
    #: without separators
    code: str
    content: bytes
    page_count: int
    entry_count: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Return the name of the file: « passeport-agate-noe.pdf »."""
        return safe_file_name("passeport", self.student_name, suffix="pdf")


def render_passport(portfolio: Portfolio, letterhead: Letterhead, *, now: datetime) -> Passport:
    """Render the passport of a pupil, with a new code; stores nothing."""
    code = generate_printed_code(CODE_LENGTH)
    rendered = render_counted_pdf(
        TEMPLATE, build_pdf_data(portfolio, letterhead, code=code, now=now), pictures=letterhead.pictures
    )
    student = portfolio.student
    return Passport(
        student_id=student.id,
        student_name=person_name(student.last_name, student.first_name),
        code=code,
        content=rendered.content,
        page_count=rendered.page_count,
        entry_count=portfolio.entry_count,
        sha256=hashlib.sha256(rendered.content).hexdigest(),
    )


def build_pdf_data(portfolio: Portfolio, letterhead: Letterhead, *, code: str, now: datetime) -> dict[str, Any]:
    """Return the data that the template reads, ready for JSON; without a code, for a preview."""
    student = portfolio.student
    name = spoken_name(student.first_name, student.last_name)
    today = today_in(letterhead.timezone, now)
    titles = {fiche.origin_uid: fiche.title for fiche in portfolio.fiches}
    data = {
        "title": f"Passeport professionnel {of_name(name)}",
        "school": {
            "name": letterhead.name or "Établissement sans nom",
            "short_name": _shortened(letterhead.name),
            "lines": [
                *([f"UAI {letterhead.uai}"] if letterhead.uai else []),
                *letterhead.address,
            ],
            "email": {
                "words": letterhead.email,
                "url": f"mailto:{letterhead.email}" if letterhead.email else "",
            },
        },
        "logo": _placed(letterhead.logo, f"Logo de l’établissement {letterhead.name}"),
        "stamp": _placed(letterhead.stamp, f"Cachet de l’établissement {letterhead.name}"),
        "pupil": {"name": name, "short_name": _shortened(name), "facts": _facts(student)},
        "summary": _summary(portfolio),
        "fiches": [_fiche(each, letterhead.timezone) for each in portfolio.fiches],
        "scale": describe_scale(),
        "competences": build_level_charts(portfolio.evaluations, titles),
        "bilans": [_bilan(each) for each in portfolio.bilans],
        "signature": {
            "day": f"Fait à {letterhead.city}, le {format_date(today)}."
            if letterhead.city
            else f"Fait le {format_date(today)}.",
            "lines": [each for each in (letterhead.signatory_name, letterhead.signatory_function) if each],
        },
        **_check(letterhead.check_url, code),
    }
    return {name: _breakable(each) for name, each in data.items()}


def _check(check_url: str, code: str) -> dict[str, Any]:
    """Return what is needed to verify a passport: the code in clear, and the address of its page as a QR code."""
    import segno  # imported here: only the processes that print need it

    url = f"{check_url}/{code}" if code else check_url
    return {
        "code": group_printed_code(code) if code else "APERÇU",
        "check": {
            "url": url,
            "address": check_url,
            "words": "À cette adresse, avec ce code, chacun peut savoir quel établissement a émis un passeport, à "
            "quelle date, avec combien de pages et d’éléments, et comparer une copie du fichier."
            if code
            else "Ceci est un aperçu\u202f: l’apprenant est imaginaire et aucun passeport n’a été émis.",
        },
        "qr": {
            "svg": segno.make(url, error="m", micro=False).svg_inline(border=2, dark="#000", light="#fff"),
            "alt": f"Code QR de l’adresse {url}",
        },
    }


def _facts(student: Student) -> list[tuple[str, str]]:
    """Return the pupil's identity and training. The INE is left out: a passport is shown to employers."""
    division = student.division
    diploma = division.diploma if division else None
    facts = [
        ("Nom d’usage", student.usage_name if student.usage_name != student.last_name else ""),
        ("Date de naissance", format_date(student.birth_date)),
        ("Diplôme préparé", diploma.label if diploma else ""),
        ("Division", " – ".join(part for part in (division.code, division.label) if part) if division else ""),
        ("Départ", _departure(student)),
    ]
    return [(label, value) for label, value in facts if value]


def _departure(student: Student) -> str:
    if student.is_active:
        return ""
    return (
        f"a quitté l’établissement le {format_date(student.departed_on)}"
        if student.departed_on
        else "a quitté l’établissement"
    )


def _summary(portfolio: Portfolio) -> str:
    counts = (
        plural(len(portfolio.fiches), "fiche validée", "fiches validées"),
        plural(len(portfolio.evaluations), "évaluation", "évaluations"),
        plural(len(portfolio.bilans), "bilan", "bilans"),
    )
    return f"Ce passeport réunit {counts[0]}, {counts[1]} et {counts[2]}."


def _fiche(fiche: Fiche, timezone: str) -> dict[str, Any]:
    where = [fiche.place.label, fiche.place_name, _days(fiche.starts_on, fiche.ends_on)]
    when = f" le {format_day_of(fiche.validated_at, timezone)}" if fiche.validated_at else ""
    who = f" par {fiche.validated_by_label}" if fiche.validated_by_label else ""
    return {
        "title": fiche.title,
        "notes": [
            f"{_sentence(' – '.join(part for part in where if part))}.",
            f"Fiche validée{when}{who}.",
            *_origin(fiche.origin_school),
        ],
        "tasks": to_blocks(fiche.tasks),
    }


def _bilan(bilan: Bilan) -> dict[str, Any]:
    return {
        "title": _sentence(_days(bilan.starts_on, bilan.ends_on)),
        "notes": [f"Rédigé par {bilan.author_label}.", *_origin(bilan.origin_school)],
        "body": to_blocks(bilan.body),
    }


def _origin(school: str) -> list[str]:
    return [f"Copie reçue de l’établissement d’origine\u202f: {school}."] if school else []


def _days(first: date, last: date) -> str:
    return f"du {format_date(first)} au {format_date(last)}" if last > first else f"le {format_date(first)}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _placed(picture: Picture | None, alternative: str) -> dict[str, Any] | None:
    if picture is None:
        return None
    return {"file": picture.file, "width": picture.width, "height": picture.height, "alt": alternative}


def _shortened(words: str) -> str:
    return words if len(words) <= _HEADER_LENGTH else f"{words[: _HEADER_LENGTH - 1]}…"


def _breakable(value: Any) -> Any:
    """Return the data with a possible line break in each overlong run of letters."""
    if isinstance(value, str):
        return _ENDLESS.sub(lambda run: f"{run[0]}\u200b", value)
    if isinstance(value, Mapping):
        return {name: each if name in _NO_WORDS else _breakable(each) for name, each in value.items()}
    return [_breakable(each) for each in value] if isinstance(value, (list, tuple)) else value
