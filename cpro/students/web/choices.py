"""How a form has a diploma chosen, among those that the school may use."""

from __future__ import annotations

from collections.abc import Collection

from flask import url_for
from markupsafe import Markup
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.students.queries import list_diplomas

#: What the empty choice of a course or division says.
TO_LINK = "à rattacher"


def offer_diplomas(field: SelectField, *, nothing: str = TO_LINK, among: Collection[int] | None = None) -> None:
    """Offer diplomas by their names, or those of the identifiers `among`; the one that the field holds always stays.

    `nothing` is what the empty choice says. A person who may create a diploma reads where.
    """
    offered: dict[str, str] = {}
    for each in list_diplomas():
        if among is None or each.id in among or each.code == field.data:
            offered.setdefault(each.code, f"{each.short_label} – {each.code}")
    field.choices = [SelectChoice("", nothing), *(SelectChoice(code, label) for code, label in offered.items())]
    if among is None and may(Permission.DIPLOMAS_EDIT):
        field.description = Markup(
            'S’il n’est pas dans la liste, créez-le d’abord sous <a href="{}">Diplômes</a>.'
        ).format(url_for("diplomes.index_view"))
