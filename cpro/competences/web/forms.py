"""The deposit of a competence list, and its confirmation: field shapes only."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import HiddenField, TextAreaField

from cpro.competences import reader
from cpro.core.web.forms import VersionedForm, marked_required
from cpro.core.web.uploads import bound_files


class ListForm(VersionedForm):
    """A file, then, once it has been read, its text to confirm."""

    file = FileField(
        "Fichier CSV",
        description="Deux colonnes, code et intitulé, dans l’ordre de la liste ; partez du modèle.",
        render_kw=bound_files(accept=".csv,text/csv", max_bytes=reader.MAX_BYTES, refused=reader.REFUSED_STARTS),
    )
    content = HiddenField()


#: Values posted by the buttons of a pasted list under `geste`: show the parsed result, or save it.
READ, SAVE = "lire", "valider"


class PasteForm(VersionedForm):
    """The pasted text of a référentiel; then the version that was shown, so that only that one is saved."""

    text = TextAreaField(
        "Le texte du référentiel",
        [marked_required],
        description=(
            "Copiez-le dans le PDF et collez-le tel quel\u202f: chaque compétence commence par son code "
            "(«\u202fC1.1 – Rechercher une information\u202f»). Les lignes d’un fichier CSV conviennent aussi."
        ),
    )
    #: the fingerprint of the list that was shown
    seen = HiddenField()
