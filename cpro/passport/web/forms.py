"""The forms of the public page: shape only."""

from __future__ import annotations

from wtforms import FileField, StringField
from wtforms.validators import DataRequired

from cpro.config import FIXED_SETTINGS
from cpro.core.formatting import format_size
from cpro.core.web.forms import BaseForm
from cpro.core.web.uploads import bound_files

#: Maximum size in bytes of a copy to compare: the limit read of any request.
_MAX_COPY: int = FIXED_SETTINGS["MAX_CONTENT_LENGTH"]


class CodeForm(BaseForm):
    """The code printed on a passport."""

    code = StringField(
        "Code de vérification",
        [DataRequired("Tapez le code imprimé au bas de chaque page du passeport.")],
        description="Seize lettres et chiffres, imprimés au bas de chaque page du passeport. Majuscules, espaces et "
        "traits d’union ne comptent pas.",
    )


class CopyForm(BaseForm):
    """A copy of a passport to compare."""

    copy = FileField(
        "Choisir un fichier PDF…",
        description=f"{format_size(_MAX_COPY)} au plus. Le fichier est comparé, puis oublié.",
        render_kw=bound_files(accept="application/pdf", max_bytes=_MAX_COPY),
    )
