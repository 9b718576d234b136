"""The steps of a new school year, in order: each is declared here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from cpro.core.permissions import Permission
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_school_today
from cpro.imports.queries import PUPIL_FILES, STAFF_FILES, select_departures_left
from cpro.inspectors.models import Mandate, MandateState
from cpro.inspectors.queries import is_in_state
from cpro.new_year.calendar import first_day
from cpro.students import queries as students
from cpro.students.accounts.queries import select_without_account
from cpro.users import queries as users

#: The step that others depend on for their figures: before it is done, theirs are those of the previous year.
PUPILS = "pupils"


@dataclass(frozen=True)
class Figure:
    """A count of rows for a step: « 3 formations sans diplôme »."""

    #: selects the rows, for a school year and at an instant
    rows: Callable[[int, datetime], Select[Any]]
    #: singular and plural labels
    one: str
    several: str
    #: whether the step is done only when the count is zero
    is_left_to_do: bool = False
    #: the permission that reads it; None: all who read the steps, and it is kept in reports
    reserved_to: Permission | None = None


@dataclass(frozen=True)
class Link:
    """Where a step is done or seen: for those who do it, for the others, or for both."""

    label: str
    endpoint: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    to_doers: bool = True
    to_others: bool = True
    #: permission that its page also requires, when some who read the steps lack it
    right: Permission | None = None
    #: whether it leads anywhere in a school
    is_open: Callable[[Establishment], bool] = lambda school: True


@dataclass(frozen=True)
class StepDeclaration:
    """One step, done by the import of its files, by its figures, or by a person's mark (`is_marked_by_hand`)."""

    #: key in rows, forms and addresses: sixteen characters at most, never reused for another step
    key: str
    title: str
    #: its purpose, and what to check before anything is written
    help: str
    #: whose task it is: only they may say that it was reviewed, or set it aside
    right: Permission
    links: tuple[Link, ...]
    figures: tuple[Figure, ...] = ()
    #: the files whose import completes it, as named by imports
    files: frozenset[str] = frozenset()
    #: the audited actions that belong to it
    actions: tuple[str, ...] = ()
    #: whether its figures are those of the previous year until the pupils are imported
    waits_for_pupils: bool = False
    #: whether only a person can judge it: always, or where no import of the pupils has figures for it
    is_marked_by_hand: bool = False
    is_marked_without_import: bool = False
    #: whether the school has nothing to do for it
    is_void: Callable[[Establishment], bool] = lambda school: False


def _running_mandates(year: int, now: datetime) -> Select[Any]:
    today = get_school_today(now)
    return select(Mandate.id).where(is_in_state(MandateState.RUNNING, today))


_PRESENT = Figure(lambda year, now: students.select_active_students(), "élève présent", "élèves présents")
_IMPORT_LINKS = (
    Link("Gérer les imports", "imports.index", to_others=False),
    Link("Voir l’historique des imports", "historique_imports.index_view", to_doers=False),
)

STEPS = (
    StepDeclaration(
        "staff",
        "Importer les personnels et leurs services",
        "Une analyse montre d’abord qui arrive, qui change de division et qui part.",
        Permission.IMPORTS_MANAGE,
        _IMPORT_LINKS,
        files=STAFF_FILES,
    ),
    StepDeclaration(
        PUPILS,
        "Importer les élèves",
        "Une analyse montre d’abord les arrivées, les changements de division et les départs.",
        Permission.IMPORTS_MANAGE,
        _IMPORT_LINKS,
        (_PRESENT,),
        files=PUPIL_FILES,
    ),
    StepDeclaration(
        "courses",
        "Rattacher les formations (MEF) à un diplôme",
        "Sans diplôme, une formation laisse ses divisions sans masque de saisie ni compétences.",
        Permission.DIPLOMAS_EDIT,
        (Link("Voir les formations", "mefs.index_view"),),
        (
            Figure(lambda year, now: students.select_mefs(), "formation", "formations"),
            Figure(
                lambda year, now: students.select_unlinked_mefs(),
                "formation sans diplôme",
                "formations sans diplôme",
                is_left_to_do=True,
            ),
            Figure(
                lambda year, now: students.select_unknown_mefs(),
                "code porté par des élèves sans être dans la liste",
                "codes portés par des élèves sans être dans la liste",
                is_left_to_do=True,
            ),
        ),
        actions=("mef:changed", "mef:created", "mef:deleted"),
        waits_for_pupils=True,
    ),
    StepDeclaration(
        "leavers",
        "Vérifier les départs",
        "L’import désactive les élèves qui ne sont plus dans les fichiers\u202f: leur parcours est figé, "
        "puis effacé à la date que dit la conservation des données.",
        Permission.IMPORTS_MANAGE,
        (
            Link("Gérer les imports", "imports.index", to_others=False),
            Link(
                "Noter un départ",
                "eleves.index_view",
                to_others=False,
                right=Permission.STUDENTS_EDIT,
                is_open=lambda school: not school.uses_siecle,
            ),
            Link("Voir les élèves partis", "eleves.index_view", {"situation": "partis"}),
            Link("Voir ce qui sera effacé, et quand", "retention.edit", right=Permission.RETENTION_VIEW),
        ),
        (
            Figure(
                lambda year, now: students.select_departed_since(first_day(year)),
                "élève parti depuis juillet",
                "élèves partis depuis juillet",
            ),
            Figure(
                lambda year, now: select_departures_left(year),
                "départ proposé par l’import et non coché",
                "départs proposés par l’import et non cochés",
                is_left_to_do=True,
            ),
            Figure(
                lambda year, now: students.select_present_without_division(),
                "élève présent sans division",
                "élèves présents sans division",
                is_left_to_do=True,
            ),
        ),
        actions=("student:departed", "student:returned"),
        waits_for_pupils=True,
        is_marked_without_import=True,
    ),
    StepDeclaration(
        "divisions",
        "Vérifier les divisions",
        "Une division sans diplôme ni formation laisse ses élèves sans masque de saisie.",
        Permission.STUDENTS_EDIT,
        (Link("Voir les divisions", "divisions.index_view"),),
        (
            Figure(
                lambda year, now: students.select_divisions_with_pupils(),
                "division avec des élèves",
                "divisions avec des élèves",
            ),
            Figure(
                lambda year, now: students.select_divisions_without_course(),
                "division sans diplôme ni formation",
                "divisions sans diplôme ni formation",
                is_left_to_do=True,
            ),
        ),
        actions=("division:changed", "division:created", "division:deleted"),
        waits_for_pupils=True,
    ),
    StepDeclaration(
        "codes",
        "Ouvrir les comptes et remettre les codes",
        "Les comptes s’ouvrent, puis les fiches s’impriment, par division.",
        Permission.USERS_EDIT,
        (
            Link("Ouvrir les comptes des élèves", "pupil_accounts.open_accounts", to_others=False),
            Link("Imprimer les fiches", "credential_sheets.choose", {"pour": "sans-code"}, to_others=False),
            Link("Voir les comptes", "utilisateurs.index_view", to_doers=False),
        ),
        (
            _PRESENT,
            Figure(
                lambda year, now: select_without_account(),
                "élève sans compte",
                "élèves sans compte",
                is_left_to_do=True,
            ),
            Figure(
                lambda year, now: users.select_without_code(now),
                "personne sans mot de passe ni code valable",
                "personnes sans mot de passe ni code valable",
                is_left_to_do=True,
            ),
        ),
        actions=("accounts:opened", "accounts:sheets:drawn", "accounts:sheets:reset"),
        waits_for_pupils=True,
    ),
    StepDeclaration(
        "consents",
        "Donner les accords du chef d’établissement",
        "Une personne qui attend l’accord ne peut pas activer son compte.",
        Permission.USERS_CONSENT,
        (Link("Voir les comptes en attente", "utilisateurs.index_view", {"etat": "accord"}),),
        (
            Figure(
                lambda year, now: users.select_pending(),
                "compte attend l’accord",
                "comptes attendent l’accord",
                is_left_to_do=True,
            ),
        ),
        actions=("account:consent:granted", "account:consent:revoked"),
    ),
    StepDeclaration(
        "mandates",
        "Relire les accès inspecteur",
        "Fermez les accès qui n’ont plus d’objet\u202f: chacun reste ouvert jusqu’à son dernier jour.",
        Permission.MANDATES_MANAGE,
        (Link("Voir les accès inspecteur", "inspectors.index"),),
        (
            Figure(
                _running_mandates,
                "accès en cours",
                "accès en cours",
                reserved_to=Permission.MANDATES_VIEW,
            ),
        ),
        is_marked_by_hand=True,
        is_void=lambda school: not school.inspectors_enabled,
    ),
    StepDeclaration(
        "masks",
        "Relire les masques de saisie",
        "Les intitulés de l’an dernier servent encore\u202f: relisez ceux de chaque diplôme.",
        Permission.MASKS_EDIT,
        (Link("Voir les masques de saisie", "masks.edit"),),
        actions=("masks:changed", "masks:copied", "masks:reset"),
        is_marked_by_hand=True,
    ),
)
#: The same steps, by key.
BY_KEY = {step.key: step for step in STEPS}
