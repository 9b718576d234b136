"""Choice of a diploma in a form, among those that the school may use."""

from __future__ import annotations

from collections.abc import Collection

from flask import url_for
from markupsafe import Markup
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.students.queries import list_diplomas

#: Label of the empty choice for a course or a division.
TO_LINK = "à rattacher"


def offer_diplomas(field: SelectField, *, nothing: str = TO_LINK, among: Collection[int] | None = None) -> None:
    """Fill a field with diplomas by name, all or those of the ids `among`; its current one is always kept.

    `nothing` is the label of the empty choice. People who may create a diploma see a link to do it.
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
