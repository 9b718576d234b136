"""The deposit of a competence list, and its confirmation: shape only."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import HiddenField

from cpro.core.web.forms import VersionedForm


class ListForm(VersionedForm):
    """A file, then, once it was read, its text to confirm."""

    file = FileField(
        "Fichier CSV", description="Deux colonnes, code et intitulé, dans l’ordre de la liste ; partez du modèle."
    )
    content = HiddenField()
