"""The form of the head's setting on teachers' accounts; the operation validates."""

from __future__ import annotations

from wtforms import RadioField, SelectChoice

from cpro.core.web.forms import BaseForm
from cpro.establishments.models import TeachersConsent


class TeachersConsentForm(BaseForm):
    """Which accounts wait for consent."""

    exiger = RadioField(
        "Comptes d’enseignants qui attendent votre accord",
        choices=[SelectChoice(each.value, each.label) for each in TeachersConsent],
        invalid_choice_message="Choisissez l’une des réponses proposées.",
    )
