"""The kinds of journal news: each names actions, and the permission of the people notified of them.

News read from the records of pupils is in `records`.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from sqlalchemy import ColumnElement, and_

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.core.formatting import plural, upper_first
from cpro.core.permissions import Permission
from cpro.core.reader import READER_ID, READER_JOURNAL_ID, READER_REFERENCE
from cpro.imports.models import RunKind
from cpro.records.queries import select_journal_ids_of_divisions
from cpro.site.news.kind import Kind
from cpro.site.news.settings import SETTINGS
from cpro.students.accounts.queries import select_journal_ids
from cpro.users.queries import select_journal_ids_awaited, select_journal_ids_with_powers

#: Maximum number of pupils named by a line.
_NAMED = 5


def _is_about_own_account() -> ColumnElement[bool]:
    return and_(AuditEntry.object_type == "account", AuditEntry.object_id == READER_JOURNAL_ID)


def _is_about_own_records() -> ColumnElement[bool]:
    own = select_journal_ids(READER_ID)
    return and_(AuditEntry.object_type == "pupil_records", AuditEntry.object_id.in_(own))


def _is_own_problem() -> ColumnElement[bool]:
    return and_(AuditEntry.object_type == "problem", AuditEntry.object_id == READER_REFERENCE)


def _is_by_support() -> ColumnElement[bool]:
    return AuditEntry.is_by(Permission.SCHOOLS_ENTER)


def _is_about_account_with_powers() -> ColumnElement[bool]:
    """Return the condition of the lines about other accounts that can read the whole school, or that need a consent."""
    others = select_journal_ids_with_powers(besides=READER_ID)
    return and_(AuditEntry.object_type == "account", AuditEntry.object_id.in_(others))


def _is_about_account_to_consent_to() -> ColumnElement[bool]:
    return and_(AuditEntry.object_type == "account", AuditEntry.object_id.in_(select_journal_ids_awaited()))


def _is_about_account_without_consent() -> ColumnElement[bool]:
    return and_(_is_about_account_with_powers(), ~_is_about_account_to_consent_to())


def _is_about_own_division() -> ColumnElement[bool]:
    own = select_journal_ids_of_divisions(READER_ID)
    return and_(AuditEntry.object_type == "division", AuditEntry.object_id.in_(own))


def _describe_moved(line: AuditEntry, *, names: bool = False) -> str:
    """Return how many pupils moved to which division, with their names for those who may read all pupils."""
    number, named = (line.changes.get(name, (None, None))[1] for name in ("moved", "names"))
    text = (
        f"{plural(number if isinstance(number, int) else 0, 'élève', 'élèves')} de division\u202f: {line.object_label}"
    )
    return f"{text} ({_cut(named)})" if names and named else text


def _describe_codes(line: AuditEntry) -> str:
    """Return for which teachers in place a code was prepared."""
    names = str(line.changes.get("teachers", (None, ""))[1])
    users = "qui utilise déjà son compte" if ", " not in names else "qui utilisent déjà leur compte"
    return f"{labels.actor_name(line)} a préparé un code pour {_cut(names)}, {users}"


def _cut(names: str) -> str:
    """Return the first names of a list; the journal has the others."""
    few = names.split(", ")
    return names if len(few) <= _NAMED else f"{', '.join(few[:_NAMED])}…"


def _is_about_another_account() -> ColumnElement[bool]:
    return ~_is_about_own_account()


#: The support's actions on a problem.
_OF_PROBLEMS = {"problem:handled": "a traité", "problem:reopened": "a rouvert"}

KINDS: Sequence[Kind] = (
    Kind(
        actions=[
            f"transfer:{each}"
            for each in (
                "accepted",
                "agreed",
                "asked",
                "cancelled",
                "confirmed",
                "expired",
                "guessed",
                "refused",
                "withdrawn",
                "withdrawn-by-import",
            )
        ],
        permission=Permission.TRANSFERS_MANAGE,
        link=lambda line: url_for("transfers.show", side_id=line.object_id),
        label="Voir le transfert",
        concerns=lambda: AuditEntry.object_type == "transfer",
    ),
    Kind(
        actions=["transfer:offer-received"],
        permission=Permission.TRANSFERS_MANAGE,
        link=lambda line: url_for("transfers.index"),
        label="Voir les transferts",
    ),
    Kind(
        actions=["transfer:sent"],
        permission=Permission.TRANSFERS_MANAGE,
        link=lambda line: url_for("transfers.index", liste="envoyes"),
        label="Voir les transferts envoyés",
        includes_own=True,
    ),
    Kind(
        actions=["transfer:received"],
        permission=Permission.TRANSFERS_MANAGE,
        link=lambda line: url_for("transfers.index", liste="recus"),
        label="Voir les transferts reçus",
        includes_own=True,
    ),
    Kind(
        actions=[f"import:{kind.value}:{each}" for kind in RunKind for each in ("applied", "undone", "expired")],
        permission=Permission.IMPORTS_VIEW,
        link=lambda line: url_for("imports.show", run_id=line.object_id),
        label="Voir l’import",
        includes_own=True,
    ),
    Kind(
        actions=["mandate:opened", "mandate:extended", "mandate:closed"],
        permission=Permission.MANDATES_VIEW,
        link=lambda line: url_for("mandats.details_view", id=line.object_id),
        label="Voir l’accès",
    ),
    Kind(
        actions=["account:consent:granted", "account:consent:revoked"],
        permission=Permission.USERS_VIEW,
        link=lambda line: url_for("utilisateurs.details_view", id=line.object_id),
        label="Voir le compte",
        concerns=_is_about_another_account,
    ),
    Kind(
        actions=["account:created", "account:enabled"],
        permission=Permission.USERS_CONSENT,
        link=lambda line: url_for("utilisateurs.details_view", id=line.object_id),
        label="Voir le compte",
        concerns=_is_about_account_without_consent,
    ),
    Kind(
        actions=["account:created", "account:enabled"],
        permission=Permission.USERS_CONSENT,
        link=lambda line: url_for("utilisateurs.details_view", id=line.object_id),
        label="Voir le compte",
        concerns=_is_about_account_to_consent_to,
        is_counted=False,
    ),
    Kind(
        actions=["account:disabled"],
        permission=Permission.USERS_CONSENT,
        link=lambda line: url_for("utilisateurs.details_view", id=line.object_id),
        label="Voir le compte",
        concerns=_is_about_account_with_powers,
    ),
    Kind(
        actions=["accounts:teachers:code"],
        permission=Permission.USERS_CONSENT,
        link=lambda line: url_for("utilisateurs.index_view", etat="a-voir"),
        label="Voir ces comptes",
        sentence=_describe_codes,
        is_counted=False,  # the menu counts these accounts until the head has seen them
    ),
    Kind(
        actions=["establishment:access:locked", "establishment:access:reopened"],
        permission=Permission.EMERGENCY_LOCK,
        link=lambda line: url_for("emergency.index"),
        label="Voir les fermetures",
    ),
    Kind(
        actions=["school:entered"],
        permission=Permission.ACCESSES_VIEW,
        link=lambda line: url_for("accesses.index"),
        label="Voir qui a accès",
        concerns=_is_by_support,
        sentence=lambda line: f"{labels.actor_name(line)} est entré en lecture",
    ),
    Kind(
        actions=[
            "account:changed",
            "account:consent:granted",
            "account:enabled",
            "account:reset",
            "account:second-factor:reset",
            "account:sign-in-refused",
        ],
        permission=Permission.NEWS_READ,
        link=lambda line: url_for("users.own_account"),
        label="Voir mon compte",
        concerns=_is_about_own_account,
    ),
    Kind(
        actions=["fiche:sent-back"],
        permission=Permission.OWN_RECORDS,
        link=lambda line: url_for("records.fiches", student_id=line.object_id),
        label="Voir mes fiches",
        concerns=_is_about_own_records,
        sentence=lambda line: f"{line.actor_label} vous a rendu une fiche",
    ),
    Kind(
        actions=[*_OF_PROBLEMS],
        permission=Permission.NEWS_READ,
        link=lambda line: url_for("problems.describe"),
        label="Voir ce que vous avez décrit",
        concerns=_is_own_problem,
        sentence=lambda line: (
            f"L’équipe qui administre CPro {_OF_PROBLEMS[line.action]} le problème que vous avez décrit, "
            f"{line.object_label}"
        ),
    ),
    Kind(
        actions=["division:joined"],
        permission=Permission.STUDENTS_VIEW,
        link=lambda line: url_for("eleves.index_view", division=line.object_label),
        label="Voir ses élèves",
        sentence=lambda line: f"{labels.actor_name(line)} a changé {_describe_moved(line, names=True)}",
    ),
    Kind(
        actions=["division:joined"],
        permission=Permission.PUPILS_EVALUATE,
        link=lambda line: url_for("records.pupils", division=line.object_label),
        label="Voir ses apprenants",
        concerns=_is_about_own_division,
        sentence=lambda line: f"{upper_first(labels.doer_name(line))} a changé {_describe_moved(line)}",
    ),
    *SETTINGS,
)


def list_kinds(rights: frozenset[Permission]) -> list[Kind]:
    """Return the kinds of news for people of some rights; none for those who read no news."""
    if Permission.NEWS_READ not in rights:
        return []
    return [each for each in KINDS if each.permission in rights]
