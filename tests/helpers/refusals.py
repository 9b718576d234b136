"""Cases where a rule refuses an action that a page asks to confirm: actor, page, set-up, message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.imports.models import RunState
from cpro.masks.models import Mask, MaskKey
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import Diploma, Student, TeacherDivision
from cpro.transfers.models import Direction, TransferState
from tests.factories import (
    NOW,
    World,
    make_account,
    make_diploma,
    make_import,
    make_mandate,
    make_mef,
    make_scenario,
    make_student,
    make_transfer,
    make_transfer_side,
)

Arrange = Callable[[Session, World], int]

TRANSFERS = "/admin/parametres/transferts/effectues/{id}/"
MANDATES = "/admin/parametres/inspecteurs/{id}/"


@dataclass(frozen=True)
class Refused:
    """A case in which a rule refuses: actor, page, set-up, message."""

    role: str
    address: str
    arrange: Arrange
    sentence: str


def _account(kind: str) -> Arrange:
    return lambda session, world: world.a.account_ids[kind]


def _siecle_pupil(session: Session, world: World) -> int:
    session.get_one(Establishment, world.a.id).uses_siecle = True
    return world.a.student_id


def _second_siecle_pupil(session: Session, world: World) -> int:
    session.get_one(Student, _siecle_pupil(session, world)).siecle_id = "71"
    session.add(student := make_student(world.a.id, siecle_id="72", ine=None))
    session.flush()
    return student.id


def _new_account(role: Role, **values: object) -> Arrange:
    def arrange(session: Session, world: World) -> int:
        session.add(account := make_account(world.a.id, role, **values))
        session.flush()
        return account.id

    return arrange


def _side(state: str, way: str, **values: object) -> Arrange:
    def arrange(session: Session, world: World) -> int:
        source, destination = (world.a, world.b) if way == "left" else (world.b, world.a)
        session.add(transfer := make_transfer(source.id, destination.id, state=TransferState(state), done_at=None))
        session.flush()
        found = {"state": TransferState(state), "direction": Direction(way), "done_at": None, "fiches": 0, **values}
        session.add(side := make_transfer_side(transfer.id, world.a.id, **found))
        session.flush()
        return side.id

    return arrange


def _mandate(**values: object) -> Arrange:
    def arrange(session: Session, world: World) -> int:
        session.add(mandate := make_mandate(world, **values))
        session.flush()
        return mandate.id

    return arrange


def _record(kind: type, *, named: bool = False) -> Arrange:
    """Return a function that creates a colleague's record or, if `named`, one's own that an évaluation names."""

    def arrange(session: Session, world: World) -> int:
        session.add(
            TeacherDivision(
                establishment_id=world.a.id, account_id=world.a.account_ids["teacher"], division_id=world.a.division_id
            )
        )
        session.add(colleague := make_account(world.a.id))
        session.flush()
        author = world.a.account_ids["teacher"] if named else colleague.id
        written = {
            "establishment_id": world.a.id,
            "student_id": world.a.student_id,
            "author_id": author,
            "author_label": "Une collègue",
            "created_at": NOW,
            "changed_at": NOW,
        }
        fiche = Fiche(
            **written,
            origin_uid="fiche",
            title="Pose",
            place=Place.SCHOOL,
            state=FicheState.SUBMITTED,
            starts_on=date(2026, 9, 7),
            ends_on=date(2026, 9, 8),
        )
        session.add(fiche)
        session.flush()
        evaluation = Evaluation(
            **written,
            origin_uid="evaluation",
            diploma_code=world.diploma_code,
            diploma_label="Bac pro MELEC",
            competence_code="C1",
            competence_label="Analyser",
            level=3,
            evaluated_on=date(2026, 9, 9),
            fiche_uid="fiche",
        )
        bilan = Bilan(
            **written, origin_uid="bilan", body="<p>Bien.</p>", starts_on=date(2026, 9, 7), ends_on=date(2026, 9, 8)
        )
        session.add_all([evaluation, bilan])
        session.flush()
        return {Fiche: fiche, Evaluation: evaluation, Bilan: bilan}[kind].id

    return arrange


def _followed_course(session: Session, world: World) -> int:
    session.add(course := make_mef(world.a.id))
    session.get_one(Student, world.a.student_id).mef_code = course.code
    session.flush()
    return course.id


def _worded_diploma(session: Session, world: World) -> int:
    session.add(diploma := make_diploma(code="ROCHE", establishment_id=world.a.id))
    session.flush()
    session.add(
        Mask(establishment_id=world.a.id, diploma_id=diploma.id, key=MaskKey.LINKS, wording="Nos liens", changed_at=NOW)
    )
    return diploma.id


def _diploma(session: Session, world: World) -> int:
    return session.scalars(select(Diploma.id).where(Diploma.code == world.diploma_code)).one()


def _scenario(session: Session, world: World) -> int:
    session.add(scenario := make_scenario(world.a, _diploma(session, world), author_id=world.a.account_ids["head"]))
    session.flush()
    return scenario.id


def _run(state: RunState) -> Arrange:
    def arrange(session: Session, world: World) -> int:
        session.add(run := make_import(world.a.id, state=state, applied_at=None))
        session.flush()
        return run.id

    return arrange


OVER = _mandate(closed_at=NOW, closed_by_label="Claude Basalte", closing_reason="Fini")
ENDED = _mandate(starts_on=date(2025, 9, 1), ends_on=date(2025, 9, 30))
USERS = "/admin/utilisateurs/"
NOT_POSSIBLE = "Cette action n’est pas, ou n’est plus, possible sur ce transfert."

REFUSED = {
    "deactivating oneself": Refused(
        "administrator", USERS + "desactiver/?id={id}", _account("administrator"), "Personne ne désactive son propre"
    ),
    "deactivating the head": Refused(
        "administrator", USERS + "desactiver/?id={id}", _account("head"), "Le compte d’un chef d’établissement ne se"
    ),
    "reactivating a head": Refused(
        "administrator",
        USERS + "reactiver/?id={id}",
        _new_account(Role.HEAD, is_active=False),
        "Le compte d’un chef d’établissement ne se réactive pas ici",
    ),
    "resetting oneself": Refused(
        "administrator", USERS + "reinitialiser/?id={id}", _account("administrator"), "Votre propre mot de passe"
    ),
    "resetting the head": Refused(
        "administrator", USERS + "reinitialiser/?id={id}", _account("head"), "déjà activé ne se réinitialise pas ici"
    ),
    "resetting somebody deactivated": Refused(
        "administrator", USERS + "reinitialiser/?id={id}", _new_account(Role.TEACHER, is_active=False), "désactivé"
    ),
    "resetting somebody who waits": Refused(
        "administrator",
        USERS + "reinitialiser/?id={id}",
        _new_account(Role.ADMINISTRATOR, consent_needed=True, activated_at=None),
        "accord",
    ),
    "consenting to a teacher": Refused("head", USERS + "accord/?id={id}", _account("teacher"), "Aucun accord n’a été"),
    "consenting to oneself": Refused("head", USERS + "accord/?id={id}", _account("head"), "Seul le chef"),
    "resetting the second factor of somebody who has none": Refused(
        "head", USERS + "second-facteur/?id={id}", _account("teacher"), "n’a pas de second facteur"
    ),
    "resetting one's own second factor": Refused(
        "head", USERS + "second-facteur/?id={id}", _account("head"), "Un second facteur se réinitialise par un autre"
    ),
    "linking a teacher's account": Refused(
        "administrator", USERS + "{id}/relier?eleve={student}", _account("teacher"), "apprenant"
    ),
    "unlinking what is not linked": Refused(
        "administrator", USERS + "{id}/delier", _account("student"), "n’est relié à aucun élève"
    ),
    "deleting a course in use": Refused(
        "administrator", "/admin/mefs/delete/?id={id}", _followed_course, "1 élève suit cette formation"
    ),
    "deleting a worded diploma": Refused(
        "administrator", "/admin/diplomes/delete/?id={id}", _worded_diploma, "1 masque de saisie le concerne"
    ),
    "deleting a national diploma": Refused("administrator", "/admin/diplomes/delete/?id={id}", _diploma, "national"),
    "emptying a national list": Refused(
        "administrator", "/admin/diplomes/{id}/competences/vider", _diploma, "national"
    ),
    "deleting no picture": Refused(
        "administrator",
        "/admin/parametres/logo/supprimer/logo",
        lambda session, world: 0,
        "Il n’y a pas de logo à supprimer",
    ),
    "clearing no stamp": Refused(
        "administrator", "/admin/parametres/logo/transparence", lambda session, world: 0, "Aucun cachet n’a été déposé"
    ),
    "giving up an applied import": Refused(
        "administrator", "/admin/imports/{id}/abandonner", _run(RunState.APPLIED), "import"
    ),
    "undoing an analysed import": Refused(
        "administrator", "/admin/imports/{id}/annuler", _run(RunState.ABANDONED), "import"
    ),
    "closing a closed mandate": Refused("head", MANDATES + "fermer", OVER, "Cet accès est déjà fermé."),
    "closing an ended mandate": Refused("head", MANDATES + "fermer", ENDED, "Cet accès a pris fin le 30/09/2025"),
    "extending an ended mandate": Refused("head", MANDATES + "prolonger", ENDED, "Cet accès a pris fin le 30/09/2025"),
    "deleting a colleague's fiche": Refused(
        "teacher", "/eleves/{student}/fiches/{id}/supprimer", _record(Fiche), "Une collègue"
    ),
    "deleting a fiche that is evaluated": Refused(
        "teacher", "/eleves/{student}/fiches/{id}/supprimer", _record(Fiche, named=True), "évaluation"
    ),
    "deleting a colleague's évaluation": Refused(
        "teacher", "/eleves/{student}/evaluations/{id}/supprimer", _record(Evaluation), "Une collègue"
    ),
    "deleting a colleague's bilan": Refused(
        "teacher", "/eleves/{student}/bilans/{id}/supprimer", _record(Bilan), "Une collègue"
    ),
    "archiving another's scenario": Refused("teacher", "/scenarios/{id}/archiver", _scenario, "auteur"),
    "taking up another's scenario": Refused("teacher", "/scenarios/{id}/reprendre", _scenario, "auteur"),
    "confirming what is done": Refused("head", TRANSFERS + "confirmer", _side("done", "joined"), NOT_POSSIBLE),
    "confirming without transfers": Refused("head", TRANSFERS + "confirmer", _side("conflict", "joined"), "transferts"),
    "agreeing without transfers": Refused("head", TRANSFERS + "accorder", _side("agreement", "left"), "transferts"),
    "accepting without transfers": Refused(
        "head", TRANSFERS + "accepter", _side("offered", "joined", expires_at=NOW.replace(year=2100)), "transferts"
    ),
    "accepting what is done": Refused("head", TRANSFERS + "accepter", _side("done", "joined"), NOT_POSSIBLE),
    "refusing what is done": Refused("head", TRANSFERS + "refuser", _side("done", "joined"), NOT_POSSIBLE),
    "asking again too early": Refused("head", TRANSFERS + "redemander", _side("conflict", "joined"), NOT_POSSIBLE),
    "taking back what is done": Refused("head", TRANSFERS + "reprendre", _side("done", "left"), NOT_POSSIBLE),
    "cancelling after 30 days": Refused(
        "head", TRANSFERS + "annuler", _side("done", "joined", done_at=NOW.replace(year=2020)), NOT_POSSIBLE
    ),
}

#: What SIECLE's files do in a school that uses it, refused to the administrator.
_LEFT_TO_SIECLE = {
    name: Refused("administrator", address, _siecle_pupil, "à corriger dans SIECLE puis à importer à nouveau")
    for name, address in {
        "a departure where SIECLE is used": "/admin/eleves/depart?ids={id}",
        "another division where SIECLE is used": "/admin/eleves/division?ids={id}",
        "a course where SIECLE is used": "/admin/eleves/formation?ids={id}",
        "a return where SIECLE is used": "/admin/eleves/retour?ids={id}",
    }.items()
}
REFUSED |= _LEFT_TO_SIECLE
REFUSED["a merge of two rows that SIECLE knows"] = Refused(
    "administrator", "/admin/eleves/{id}/doublon/{student}", _second_siecle_pupil, "sous deux numéros"
)
#: Pages with both GET and POST that no rule refuses to people who have the permission.
NEVER_REFUSED = {
    "users.activate": "a form: its rules judge what is typed",
    "users.forgotten_password": "a form",
    "users.own_account": "a form",
    "addresses.own": "a form",
    "addresses.confirm_school": "a form: the password typed and the address shown are judged",
    "addresses.answer": "a link that holds no more is refused on both steps: tests/users/test_addresses.py",
    "users.sign_in": "a form",
    "second_factor.ask": "a form",
    "second_factor.ask_again": "a form",
    "verification.ask": "a form",
    "verification.show": "a form",
    "pupil_accounts.open_accounts": "nobody to open an account to is said on both steps, and is no refusal",
    "pupil_accounts.seen_links": "reading twice changes nothing",
    "masks.copy": "a diploma onto itself is refused before either step: tests/settings/test_mask_copies.py",
    "problems.describe": "a form",
    "masks.reset": "restoring the defaults twice changes nothing",
    "masques.delete_view": "restoring a default is always possible",
}
FORMS = {"create_view", "edit_view"}
