"""« Nouveautés » of a school's settings: what others changed, for those who may read the page that shows it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.core.web.registry import registry
from cpro.establishments.models import PictureKind
from cpro.site.news.kind import Kind

#: Maximum number of changes in a line; the journal has the others.
_MOST_NAMED = 3


def _describe_changes(line: AuditEntry) -> str:
    """Return who changed what in the school, old and new values."""
    changes = [each.summary for each in labels.describe(line, timezone=registry().timezone())]
    named = f"{', '.join(changes[:_MOST_NAMED])}{'…' if len(changes) > _MOST_NAMED else ''}"
    text = f"{labels.actor_name(line)} {labels.action_label(line.action)}"
    return f"{text} ({named})" if named else text


def _describe_action(line: AuditEntry) -> str:
    return f"{labels.actor_name(line)} {labels.action_label(line.action)}"


def _modules_url(line: AuditEntry) -> str:
    """Return the tab of the modules, or the journal line for those who may not read that tab."""
    return url_for("modules.edit") if may(Permission.MODULES_VIEW) else url_for("journal.details_view", id=line.id)


def _of_picture(kind: PictureKind, permission: Permission) -> Kind:
    verbs = ("deposited", "cleared", "deleted", "undone", "restored")
    return Kind(
        actions=[f"picture:{kind.value}:{verb}" for verb in verbs if verb != "cleared" or kind is PictureKind.STAMP],
        permission=permission,
        link=lambda line: url_for("settings.pictures"),
        label="Voir les images",
        sentence=_describe_action,
    )


SETTINGS: Sequence[Kind] = (
    Kind(
        actions=[
            "establishment:particulars:changed",
            "establishment:uai:corrected",
            "establishment:address:confirmed",
            "establishment:address:refused",
        ],
        permission=Permission.PARTICULARS_VIEW,
        link=lambda line: url_for("settings.establishment"),
        label="Voir les renseignements",
        sentence=_describe_changes,
    ),
    Kind(
        actions=["establishment:head-email:set"],
        permission=Permission.USERS_CONSENT,
        link=lambda line: url_for("settings.establishment"),
        label="Voir les renseignements",
        sentence=_describe_changes,
    ),
    Kind(
        actions=["establishment:teachers:consent"],
        permission=Permission.USERS_VIEW,
        link=lambda line: url_for("utilisateurs.index_view"),
        label="Voir les comptes",
        sentence=_describe_changes,
    ),
    Kind(
        actions=["establishment:transfers:changed"],
        permission=Permission.TRANSFERS_VIEW,
        link=lambda line: url_for("settings.transfers"),
        label="Voir les réglages des transferts",
        sentence=_describe_changes,
    ),
    Kind(
        actions=["establishment:modules:switched"],
        permission=Permission.JOURNAL_VIEW,
        link=_modules_url,
        label="Voir les modules",
        sentence=_describe_changes,
    ),
    Kind(
        actions=["establishment:retention:changed"],
        permission=Permission.RETENTION_VIEW,
        link=lambda line: url_for("retention.edit"),
        label="Voir la durée de conservation",
        sentence=_describe_changes,
    ),
    Kind(
        actions=["masks:changed", "masks:copied", "masks:reset"],
        permission=Permission.MASKS_VIEW,
        link=lambda line: url_for("masks.edit", diplome=line.object_id),
        label="Voir les masques",
    ),
    _of_picture(PictureKind.LOGO, Permission.LOGO_VIEW),
    _of_picture(PictureKind.STAMP, Permission.STAMP_VIEW),
)
