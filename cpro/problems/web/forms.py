"""The form of a problem: field shapes only."""

from __future__ import annotations

from wtforms import StringField, TextAreaField

from cpro.core.web.forms import BaseForm, marked_required, text_rule


class ProblemForm(BaseForm):
    """What happened, and the number that an error page gave."""

    text = TextAreaField(
        "Ce qui s’est passé",
        [marked_required],
        description=(
            "Ce que vous vouliez faire, ce que la page a répondu, et comment vous joindre si vous attendez une "
            "réponse. N’indiquez ni le nom ni l’INE d’un élève."
        ),
    )
    number = StringField(
        "Code de la page d’erreur",
        [text_rule(40)],
        description="S’il y en a un\u202f: douze lettres et chiffres, en bas de la page d’erreur.",
    )
