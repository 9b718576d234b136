"""Present news from the records: who did what, and where to read it."""

from __future__ import annotations

from flask import url_for

from cpro.core.formatting import format_date, plural
from cpro.records.models import Bilan, Fiche, FicheState
from cpro.site.news.records.queries import GivenLevels, RecordNews


def describe_record(news: RecordNews) -> tuple[str, str, str]:
    """Return the text of a news item from the records, and the label and address of its page."""
    about = news.about
    if isinstance(about, Fiche):
        return (
            _describe_fiche(about),
            "Voir la fiche",
            url_for("records.fiche", student_id=about.student_id, fiche_id=about.id),
        )
    if isinstance(about, Bilan):
        return _describe_bilan(about), "Voir mes bilans", url_for("records.bilans", student_id=about.student_id)
    return _describe_levels(about), "Voir mes évaluations", url_for("records.evaluations", student_id=about.student_id)


def _describe_fiche(fiche: Fiche) -> str:
    if fiche.state is FicheState.SUBMITTED:
        return f"{fiche.author_label} a soumis «\u202f{fiche.title}\u202f»"
    return f"{fiche.validated_by_label} a validé «\u202f{fiche.title}\u202f»"


def _describe_bilan(bilan: Bilan) -> str:
    verb = "rédigé" if bilan.changed_at == bilan.created_at else "modifié"
    days = f"du {format_date(bilan.starts_on)} au {format_date(bilan.ends_on)}"
    return f"{bilan.author_label} a {verb} votre bilan {days}"


def _describe_levels(given: GivenLevels) -> str:
    counted = plural(given.competences, "compétence", "compétences")
    what = f"compétence {given.code}" if given.competences == 1 else counted
    return f"{given.author} vous a évalué le {format_date(given.day)}\u202f: {what}"
