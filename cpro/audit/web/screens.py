"""Generated screen of the journal: read and exported, never written."""

from __future__ import annotations

from cpro.audit import labels, queries
from cpro.audit.models import AuditEntry
from cpro.core.permissions import Permission, can
from cpro.core.web.current_user import current_principal
from cpro.core.web.registry import registry
from cpro.core.web.screens import Column, Filter, Screen


class JournalScreen(Screen):
    """The journal of the school, latest line first."""

    permission, export_permission = Permission.JOURNAL_VIEW, Permission.RECORDS_EXPORT
    title, noun, object_type = "Journal", ("ligne", "lignes"), "audit_entry"
    empty_text = "Le journal est vide : il se remplira à la première action."
    search_keys = (AuditEntry.search_key,)
    search_help = "Une personne ou un objet, ou le début d’un mot, sans souci des accents."
    default_order = (AuditEntry.id.desc(),)
    columns = (
        "at",
        Column("actor", "Personne", labels.actor_name, needs=("actor_kind", "actor_label", "actor_role")),
        Column("role", "Rôle", lambda row: labels.role_name(row.actor_role), in_list=False, needs=("actor_role",)),
        Column("action", "Action", lambda row: labels.action_label(row.action), needs=("action",)),
        Column(
            "object_type",
            "Type",
            lambda row: labels.object_type_label(row.object_type),
            in_list=False,
            needs=("object_type",),
        ),
        Column("object", "Objet", lambda row: labels.object_label(row, masked=_is_masked()), needs=("object_label",)),
        Column(
            "changes",
            "Ancien → nouveau",
            lambda row: changes_text(row),
            is_long=True,
            needs=("object_type", "changes"),
        ),
        "origin",
    )
    filters = (
        Filter("personne", "Personne", "tout le monde", where=queries.by_actor, choices=queries.name_known_actors),
        Filter(
            "action",
            "Action",
            "toutes les actions",
            where=lambda action: AuditEntry.action == action,
            choices=labels.known_actions,
            group=labels.name_subject,
        ),
        Filter(
            "objet",
            "Objet",
            "tous les objets",
            where=lambda kind: AuditEntry.object_type == kind,
            choices=labels.known_object_types,
        ),
        "at",
    )

    def label_of(self, row: AuditEntry) -> str:
        """Return the line as a sentence."""
        return labels.sentence(row, masked=_is_masked())


def changes_text(entry: AuditEntry) -> str:
    """Return the changes that a line records, on one line."""
    changes = labels.describe(entry, masked=_is_masked(), timezone=registry().timezone())
    return " ; ".join(change.summary for change in changes)


def _is_masked() -> bool:
    return not can(current_principal(), Permission.INE_READ)
