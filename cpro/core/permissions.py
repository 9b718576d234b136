"""Authorisation: permissions, roles, and the table of what each role may do.

Code calls `can(Permission.…)` on a principal, an actor or a role; it never compares roles. A new role is a member of
`Role` and a line of `ROLE_PERMISSIONS`: what it reads and does, which consent it needs and how its code reaches the
account's holder follow from its permissions.

Routes are marked `@requires(permission)` or `@public`; `users.guard` refuses unmarked ones. A permission applies to
one's own school: another school's object does not exist (404), a missing permission in one's own is a 403.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from cpro.core.types import LabelledEnum

View = TypeVar("View", bound=Callable[..., Any])


class Role(LabelledEnum):
    """The six roles; values are stored in the database, labels are shown."""

    ADMINISTRATOR = "administrator", "Administrateur"
    HEAD = "head", "Chef d’établissement"
    TEACHER = "teacher", "Enseignant"
    STUDENT = "student", "Apprenant"
    INSPECTOR = "inspector", "Inspecteur"
    SUPPORT = "support", "Support"

    @property
    def doer(self) -> str:
        """Return how a sentence names the author of an action in a school, or "" for roles never named so."""
        return _DOERS.get(self, "")

    def can(self, permission: Permission) -> bool:
        """Return whether accounts of this role have a permission."""
        return permission in self.permissions

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return the permissions of this role."""
        return ROLE_PERMISSIONS.get(self, frozenset())

    @property
    def people(self) -> str:
        """Return the plural that sentences use for the people of this role."""
        return _PEOPLE.get(self, self.label.lower())

    @property
    def is_platform(self) -> bool:
        """Return whether accounts of this role belong to the platform and enter one school at a time."""
        return self.can(Permission.SCHOOL_CHOOSE)

    @property
    def has_private_code(self) -> bool:
        """Return whether the code that opens an account of this role must bypass the administrator.

        It would give access to the pedagogical content of the whole school, which the administrator may not read.
        """
        return self.can(Permission.SCHOOL_RECORDS_READ)

    @property
    def is_privileged(self) -> bool:
        """Return whether the stronger password rule applies: the account acts on other people's data."""
        return self not in (Role.TEACHER, Role.STUDENT)


_ROLES = {role.value: role for role in Role}
_DOERS = {
    Role.ADMINISTRATOR: "l’administrateur",
    Role.HEAD: "le chef d’établissement",
    Role.TEACHER: "un enseignant",
}
_PEOPLE = {
    Role.ADMINISTRATOR: "administrateurs",
    Role.HEAD: "chefs d’établissement",
    Role.TEACHER: "enseignants",
    Role.STUDENT: "apprenants",
    Role.INSPECTOR: "inspecteurs",
}


class Permission(enum.Enum):
    """The permissions, worded as a school would."""

    OWN_ACCOUNT = "gérer son propre compte"
    HELP_READ = "lire l’aide"
    NEWS_READ = "lire ce qui s’est passé pour soi"
    SCHOOL_CHOOSE = "choisir l’établissement à consulter"
    SCHOOLS_ENTER = "entrer dans tout établissement, en lecture seule"
    PLATFORM_FOLLOW = "suivre les traitements et retrouver une page d’erreur par son code"
    PROBLEMS_HANDLE = "lire les problèmes décrits et les marquer comme traités"
    MANDATE_ENTER = "entrer dans un établissement par un accès inspecteur"
    DASHBOARD_VIEW = "voir le tableau de bord"
    PARTICULARS_VIEW = "voir les renseignements de l’établissement"
    ESTABLISHMENT_VIEW = "voir la fiche de l’établissement, réglages compris"
    ESTABLISHMENT_EDIT = "modifier les renseignements de l’établissement"
    TRANSFERS_VIEW = "voir les réglages et la liste des transferts"
    TRANSFERS_EDIT = "activer ou désactiver les transferts"
    TRANSFERS_MANAGE = "décider des transferts : essayer, confirmer, accorder, refuser, annuler, proposer"
    TRANSFERS_NOTICES = "recevoir les courriels sur les transferts"
    MASKS_VIEW = "voir les masques de saisie"
    MASKS_EDIT = "modifier les masques de saisie"
    LOGO_VIEW = "voir le logo"
    STAMP_VIEW = "voir le cachet"
    PICTURES_EDIT = "déposer ou supprimer le logo et le cachet"
    STUDENTS_VIEW = "voir les élèves, les divisions et les diplômes"
    MEFS_VIEW = "voir les formations (MEF) et leur diplôme"
    INE_READ = "lire les INE en entier"
    MISSING_INE_VIEW = "voir la liste des élèves sans INE"
    USERS_VIEW = "voir les comptes des utilisateurs"
    USERS_EDIT = "créer, modifier, désactiver et réinitialiser les comptes, imprimer leurs fiches"
    USERS_CONSENT = "donner son accord à un autre chef, à un second administrateur, à un enseignant"
    SECOND_FACTORS_RESET = "réinitialiser le second facteur d’une autre personne"
    SCHOOL_ADDRESS_CONFIRM = "confirmer l’adresse de l’établissement, qui reçoit alors les codes d’un chef"
    STUDENTS_EDIT = "créer et corriger des élèves et des divisions, hors SIECLE\u202f; réunir les doublons"
    DIPLOMAS_EDIT = "ajouter, corriger et supprimer les diplômes propres à l’établissement, rattacher les MEF"
    IMPORTS_MANAGE = "déposer des fichiers à importer, les appliquer et annuler le dernier import"
    IMPORTS_VIEW = "voir l’historique des imports et ce qu’ils ont changé"
    RECORDS_EXPORT = "exporter les listes"
    JOURNAL_VIEW = "lire le journal"
    JOBS_VIEW = "suivre les traitements longs"
    MANDATES_EXPLAIN = "ouvrir l’onglet Accès inspecteur"
    MANDATES_VIEW = "voir la liste des accès inspecteur"
    MANDATES_MANAGE = "ouvrir, prolonger et fermer un accès inspecteur"
    CONSULTATIONS_VIEW = "lire ce qu’un inspecteur a consulté"
    FIGURES_VIEW = "voir les chiffres de l’année par division et par diplôme"
    ACCESSES_VIEW = "voir sur une page qui a accès à l’établissement"
    MODULES_VIEW = "voir quels modules sont activés"
    MODULES_SWITCH = "activer ou désactiver les modules"
    SETTINGS_HISTORY = "lire l’historique des paramètres"
    SCENARIOS_VIEW = "lire les scénarios de l’établissement"
    SCENARIOS_EDIT = "écrire des scénarios, corriger les siens, dupliquer ceux des autres"
    PUPILS_VIEW = "voir la liste des apprenants que l’on suit"
    PUPIL_RECORDS_READ = "lire les fiches, les évaluations et les bilans de ceux que l’on suit, ou les siens"
    SCHOOL_RECORDS_READ = "lire les fiches, les évaluations et les bilans de tous les apprenants de l’établissement"
    FICHES_WRITE = "écrire des fiches"
    PUPILS_EVALUATE = "évaluer les apprenants de ses divisions, valider leurs fiches, rédiger leurs bilans"
    OWN_RECORDS = "ouvrir son propre parcours"
    PASSPORT_EXPORT = "exporter le passeport de ceux que l’on suit, ou le sien"
    DIVISION_PASSPORTS = "exporter les passeports d’une division"
    OWN_PASSPORT = "exporter son propre passeport et emporter ses données"
    EMERGENCY_LOCK = "fermer d’urgence l’accès des administrateurs, des enseignants et des apprenants"
    EMERGENCY_LOCK_ALL = "fermer d’urgence l’accès de tous, chefs et inspecteurs compris, et rouvrir"
    NEW_YEAR = "préparer la rentrée"
    RETENTION_VIEW = "voir la durée de conservation des données des anciens apprenants"
    RETENTION_EDIT = "régler la durée de conservation des données des anciens apprenants"


_EVERYONE = frozenset({Permission.OWN_ACCOUNT, Permission.HELP_READ})
_BROWSING = frozenset(
    {
        Permission.DASHBOARD_VIEW,
        Permission.PARTICULARS_VIEW,
        Permission.ESTABLISHMENT_VIEW,
        Permission.TRANSFERS_VIEW,
        Permission.MASKS_VIEW,
        Permission.LOGO_VIEW,
        Permission.STUDENTS_VIEW,
        Permission.MEFS_VIEW,
        Permission.MISSING_INE_VIEW,
        Permission.USERS_VIEW,
        Permission.IMPORTS_VIEW,
        Permission.JOURNAL_VIEW,
    }
)
#: What those who lead or administer a school may read of it, students' records excepted.
_READING_SCHOOL = _BROWSING | {
    Permission.INE_READ,
    Permission.STAMP_VIEW,
    Permission.RECORDS_EXPORT,
    Permission.SETTINGS_HISTORY,
    Permission.MANDATES_EXPLAIN,
    Permission.NEWS_READ,
    Permission.JOBS_VIEW,
    Permission.RETENTION_VIEW,
}
_RUNNING_SCHOOL = frozenset(
    {
        Permission.ESTABLISHMENT_EDIT,
        Permission.TRANSFERS_EDIT,
        Permission.TRANSFERS_MANAGE,
        Permission.PICTURES_EDIT,
        Permission.EMERGENCY_LOCK,
        Permission.NEW_YEAR,
    }
)
_ADMINISTERING = frozenset(
    {
        Permission.MASKS_EDIT,
        Permission.STUDENTS_EDIT,
        Permission.DIPLOMAS_EDIT,
        Permission.IMPORTS_MANAGE,
        Permission.USERS_EDIT,
    }
)

_EXPORTING_PASSPORTS = frozenset({Permission.PASSPORT_EXPORT, Permission.DIVISION_PASSPORTS})
#: Pedagogical content: the administrator and the support never have these.
_READING_RECORDS = frozenset({Permission.SCENARIOS_VIEW, Permission.PUPILS_VIEW, Permission.PUPIL_RECORDS_READ})
_READING_ALL_RECORDS = _READING_RECORDS | {Permission.SCHOOL_RECORDS_READ}
#: All that the head may read: a role that reads as much and changes nothing has this and `_EVERYONE`.
_HEAD_READING = (
    _READING_SCHOOL
    | _READING_ALL_RECORDS
    | _EXPORTING_PASSPORTS
    | {Permission.MANDATES_VIEW, Permission.CONSULTATIONS_VIEW, Permission.ACCESSES_VIEW, Permission.MODULES_VIEW}
    | {Permission.FIGURES_VIEW}
)

#: The whole table: what is not listed is refused.
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: _EVERYONE | _READING_SCHOOL | _RUNNING_SCHOOL | _ADMINISTERING,
    Role.HEAD: _EVERYONE
    | _HEAD_READING
    | _RUNNING_SCHOOL
    | {
        Permission.USERS_CONSENT,
        Permission.SECOND_FACTORS_RESET,
        Permission.EMERGENCY_LOCK_ALL,
        Permission.SCHOOL_ADDRESS_CONFIRM,
        Permission.TRANSFERS_NOTICES,
        Permission.MANDATES_MANAGE,
        Permission.MODULES_SWITCH,
        Permission.RETENTION_EDIT,
    },
    # Which students and which fiches: records.operations.rules. The administrator and the support have none of these.
    Role.TEACHER: _EVERYONE
    | _READING_RECORDS
    | _EXPORTING_PASSPORTS
    | {Permission.SCENARIOS_EDIT, Permission.FICHES_WRITE, Permission.PUPILS_EVALUATE, Permission.NEWS_READ},
    Role.STUDENT: _EVERYONE
    | {Permission.OWN_RECORDS, Permission.PUPIL_RECORDS_READ, Permission.FICHES_WRITE}
    | {Permission.PASSPORT_EXPORT, Permission.OWN_PASSPORT, Permission.NEWS_READ},
    # Limited to the diplomas and dates of a mandate by the scope (core.tenancy), not by permissions.
    Role.INSPECTOR: _EVERYONE
    | _READING_ALL_RECORDS
    | {Permission.SCHOOL_CHOOSE, Permission.MANDATE_ENTER, Permission.PARTICULARS_VIEW, Permission.STUDENTS_VIEW},
    Role.SUPPORT: _EVERYONE
    | _BROWSING
    | {Permission.SCHOOL_CHOOSE, Permission.SCHOOLS_ENTER, Permission.PLATFORM_FOLLOW, Permission.PROBLEMS_HANDLE}
    | {Permission.MANDATES_VIEW},
}

#: Actions that give access to others, export data or stop a service: routes that require one of these permissions ask
#: again for a second-factor code, unless they say otherwise (`Access.code_again`).
CODE_ASKED_AGAIN = frozenset(
    {
        Permission.SECOND_FACTORS_RESET,
        Permission.MANDATES_MANAGE,
        Permission.TRANSFERS_EDIT,
        Permission.RECORDS_EXPORT,
        Permission.DIVISION_PASSPORTS,
    }
)
#: Permissions about the user's account or the choice of a school: no school needs to be entered.
SCHOOL_FREE = frozenset(
    {
        Permission.OWN_ACCOUNT,
        Permission.HELP_READ,
        Permission.SCHOOL_CHOOSE,
        Permission.PLATFORM_FOLLOW,
        Permission.PROBLEMS_HANDLE,
    }
)


@dataclass(frozen=True)
class Actor:
    """The author of an action, as recorded in the journal: the label is copied, so that it outlives the account."""

    kind: str
    id: int | None
    label: str
    role: str
    #: where the action came from: an IP address, or the command line
    origin: str = ""

    def can(self, permission: Permission) -> bool:
        """Return whether the actor has a permission; tasks and the command line have none: rules handle them apart."""
        return role_can(self.role, permission)


@dataclass(frozen=True)
class Principal:
    """The signed-in user: plain values, never a database row.

    `kind` is "account" (a school's) or "platform"; `establishment_id` is the current school, None for a platform
    account that has not chosen one.
    """

    id: int
    kind: str
    label: str
    login: str
    role: Role
    establishment_id: int | None
    sign_in_id: int
    #: whether the user must set up a second factor before any other page opens
    must_set_second_factor: bool = False
    #: whether the user has a second factor, and entered none of its codes in the last minutes (`Access.asks_code`)
    must_give_code: bool = False
    #: earlier events are not shown as news; None for platform accounts, which have no news
    news_read_at: datetime | None = None
    #: the last journal line already seen as news; None before the first reading
    news_read_line: int | None = None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def can(self, permission: Permission) -> bool:
        """Return whether the user has a permission (in the current school)."""
        return can(self, permission)

    def acting_from(self, origin: str) -> Actor:
        """Return the user as the author of an action, for the journal, with the IP address the action came from."""
        return Actor(self.kind, self.id, self.label, self.role.value, origin)


def can(principal: Any, permission: Permission) -> bool:
    """Return whether a user has a permission; False when not signed in."""
    return isinstance(principal, Principal) and principal.role.can(permission)


def roles_with(permission: Permission) -> list[Role]:
    """Return the roles that have a permission, in the order of the enumeration."""
    return [role for role in Role if role.can(permission)]


def role_can(value: str, permission: Permission) -> bool:
    """Return whether the role named by a stored or typed value has a permission; False for an unknown role."""
    role = _ROLES.get(value)
    return role is not None and role.can(permission)


@dataclass(frozen=True)
class Access:
    """What a route requires; `permission` is None for a public route."""

    permission: Permission | None
    #: whether a form posted after the sign-in expired is kept and offered again
    keeps_typed_form: bool = False
    #: maximum size of a post in bytes, instead of the usual limit; only for those who have the permission
    max_body: int | None = None
    #: whether users with a second factor must have entered a code recently; None: depends on the permission
    code_again: bool | None = None
    #: whether the response is a file, so that the browser stays on the previous page
    sends_file: bool = False

    @property
    def asks_code(self) -> bool:
        """Return whether users with a second factor must have entered a code recently."""
        return self.permission in CODE_ASKED_AGAIN if self.code_again is None else self.code_again


def requires(
    permission: Permission,
    *,
    keeps_typed_form: bool = False,
    max_body: int | None = None,
    code_again: bool | None = None,
    sends_file: bool = False,
) -> Callable[[View], View]:
    """Mark a view as reserved to users who have `permission`; see `Access`."""

    def mark(view: View) -> View:
        view.access = Access(permission, keeps_typed_form, max_body, code_again, sends_file)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view as open to anyone, signed in or not."""
    view.access = Access(None)  # type: ignore[attr-defined]
    return view


def access_of(view: Callable[..., Any] | None) -> Access | None:
    """Return what a view requires, or None when it is not marked (every request is then refused).

    A function has its own mark; the method of an administration view has what its view declares.
    """
    owner: Any = getattr(view, "__self__", None)
    if view is not None and hasattr(owner, "access_for"):
        access = owner.access_for(view.__name__)
    else:
        access = getattr(view, "access", None)
    return access if isinstance(access, Access) else None
