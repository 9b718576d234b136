"""The forms of the public page: shape only."""

from __future__ import annotations

from wtforms import FileField, StringField

from cpro.core.web.forms import BaseForm, required


class CodeForm(BaseForm):
    """The code printed on a passport."""

    code = StringField(
        "Code de vérification",
        [required("Tapez le code imprimé au bas de chaque page du passeport.")],
        description="Seize lettres et chiffres, imprimés au bas de chaque page du passeport. Majuscules, espaces et "
        "traits d’union ne comptent pas.",
    )


class CopyForm(BaseForm):
    """A copy of a passport to compare."""

    copy = FileField("Choisir un fichier PDF…", description="8 Mo au plus. Le fichier est comparé, puis oublié.")
