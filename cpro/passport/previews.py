"""A sample passport of an invented pupil, with the school's current particulars and pictures: no personal data."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from cpro.core.clock import today_in
from cpro.core.documents import render_pages
from cpro.passport.letterhead import Letterhead
from cpro.passport.pdf import TEMPLATE, build_pdf_data
from cpro.passport.queries import Portfolio
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import Diploma, Division, Student

_PPI = 100
_REMEMBERED = 8

_COMPETENCES = (
    ("C1", "Préparer une intervention", ((0, 2), (60, 3))),
    ("C2", "Réaliser un ouvrage en suivant un dossier", ((0, 1), (30, 2), (90, 4))),
    ("C3", "Contrôler et rendre compte", ((30, 3), (90, 3))),
)
_TEXT = "<p>Texte d’exemple\u202f: l’apprenant prépare son poste, suit le dossier remis, puis rend compte.</p>"


def render_preview(letterhead: Letterhead, *, now: datetime) -> tuple[bytes, bytes]:
    """Render the first and the last page of a passport of an invented pupil, as PNG pictures."""
    return _render(*_ingredients(letterhead, now))


def get_preview_fingerprint(letterhead: Letterhead, *, now: datetime) -> str:
    """Return a digest that changes when the preview does, without rendering it."""
    data, pictures = _ingredients(letterhead, now)
    digest = hashlib.sha256(data.encode())
    for name, content in pictures:
        digest.update(f"{name}:{hashlib.sha256(content).hexdigest()};".encode())
    return digest.hexdigest()[:32]


def invented_portfolio(today: date) -> Portfolio:
    """Return the portfolio of an invented pupil; nothing in it is stored."""
    student = Student(
        id=0, last_name="Exemple", first_name="Camille", usage_name="", birth_date=date(2009, 1, 1), is_active=True
    )
    student.division = Division(code="TEXEMPLE", label="Division d’exemple")
    student.division.diploma = Diploma(code="EXEMPLE", label="Diplôme d’exemple", short_label="Diplôme d’exemple")
    start = today - timedelta(days=120)
    fiches = [
        Fiche(
            title=title,
            place=place,
            place_name=name,
            starts_on=start + timedelta(days=day),
            ends_on=start + timedelta(days=day + 4),
            tasks=_TEXT,
            state=FicheState.VALIDATED,
            validated_by_label="Dominique Exemple",
            origin_uid=title,
            origin_school="",
        )
        for title, place, name, day in (
            ("Une situation rencontrée au lycée", Place.SCHOOL, "", 0),
            ("Une situation rencontrée en entreprise", Place.COMPANY, "Entreprise d’exemple", 30),
        )
    ]
    evaluations = [
        Evaluation(
            competence_code=code,
            competence_label=label,
            diploma_code="EXEMPLE",
            diploma_label="Diplôme d’exemple",
            level=level,
            evaluated_on=start + timedelta(days=day),
            author_label="Dominique Exemple",
            origin_school="",
            scenario_title="Scénario d’exemple",
        )
        for code, label, points in _COMPETENCES
        for day, level in points
    ]
    bilan = Bilan(starts_on=start, ends_on=today, body=_TEXT, author_label="Dominique Exemple", origin_school="")
    return Portfolio(student, fiches, sorted(evaluations, key=lambda each: each.evaluated_on), [bilan])


def _ingredients(letterhead: Letterhead, now: datetime) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    portfolio = invented_portfolio(today_in(letterhead.timezone, now))
    data = build_pdf_data(portfolio, letterhead, code="", now=now)
    return json.dumps(data, ensure_ascii=False, sort_keys=True), tuple(sorted(letterhead.pictures.items()))


@lru_cache(maxsize=_REMEMBERED)
def _render(data: str, pictures: tuple[tuple[str, bytes], ...]) -> tuple[bytes, bytes]:
    """Render both pages at once: the browser requests the second one just after the first."""
    values: dict[str, Any] = json.loads(data)
    first, last = render_pages(TEMPLATE, values, pictures=dict(pictures), pages=(0, -1), ppi=_PPI)
    return first, last
