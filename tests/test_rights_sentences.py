"""Each sentence of a page about who reads what is derived from the table of permissions, or checked against it here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cpro.core.permissions import ROLE_PERMISSIONS, Permission, Role
from cpro.core.rights import READABLE, list_closed_to, list_read_by
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
ROLES = r"(administrateur|chef d’établissement|inspecteur|enseignant|apprenant|support)"
VERBS = r"\b(lit|lisent|voit|voient|lecture seule|écrivent|ouvre l’établissement)\b"
Claim = dict[tuple[Role, Permission], bool]

A, H, T, S, I, P = (  # noqa: E741
    Role.ADMINISTRATOR,
    Role.HEAD,
    Role.TEACHER,
    Role.STUDENT,
    Role.INSPECTOR,
    Role.SUPPORT,
)
RECORDS, SCENARIOS = Permission.PUPIL_RECORDS_READ, Permission.SCENARIOS_VIEW

#: How each sentence begins, and what it claims: (role, right): held or not.
CLAIMS: dict[str, Claim] = {
    "L’administrateur voit la durée et des chiffres": {(A, Permission.RETENTION_VIEW): True, (A, RECORDS): False},
    "L’administrateur modifie les masques ; le chef d’établissement les lit.": {
        (A, Permission.MASKS_EDIT): True,
        (H, Permission.MASKS_EDIT): False,
        (H, Permission.MASKS_VIEW): True,
    },
    "L’enseignant lit et écrit pour les apprenants de ses divisions.": {
        (T, RECORDS): True,
        (T, Permission.FICHES_WRITE): True,
        (T, Permission.PUPILS_EVALUATE): True,
    },
    "Un enseignant lit les fiches, les évaluations et les bilans de ses divisions.": {(T, RECORDS): True},
    "Un enseignant lit les fiches, les évaluations et les bilans des élèves de ses divisions.": {(T, RECORDS): True},
    "Le chef d’établissement est donc averti de chaque compte d’enseignant": {
        (H, Permission.USERS_CONSENT): True,
        (H, Permission.DASHBOARD_VIEW): True,
    },
    "L’apprenant lit son parcours et écrit ses fiches.": {
        (S, Permission.OWN_RECORDS): True,
        (S, Permission.FICHES_WRITE): True,
        (S, Permission.PUPILS_EVALUATE): False,
    },
    "Le chef d’établissement lit tout, et n’écrit pas.": {
        (H, RECORDS): True,
        (H, Permission.FICHES_WRITE): False,
        (H, Permission.PUPILS_EVALUATE): False,
    },
    "Un inspecteur lit les parcours des diplômes": {(I, RECORDS): True},
    "Le support le lit, sans que votre nom y": {
        (Role.SUPPORT, Permission.PROBLEMS_HANDLE): True,
        (H, Permission.PROBLEMS_HANDLE): False,
        (A, Permission.PROBLEMS_HANDLE): False,
    },
    "L’administrateur voit, dans l’onglet Logo,": {(A, Permission.LOGO_VIEW): True, (A, RECORDS): False},
    "Tous les enseignants de l’établissement lisent les scénarios": {(T, SCENARIOS): True, (H, SCENARIOS): True},
    "Un inspecteur lit ceux des diplômes": {(I, SCENARIOS): True},
    "Ni l’administrateur, ni le support, ni les apprenants ne les voient.": {
        (A, SCENARIOS): False,
        (P, SCENARIOS): False,
        (S, SCENARIOS): False,
    },
    "L’administrateur, ici comme ailleurs, voit des nombres": {(A, RECORDS): False},
    "Un inspecteur n’entre dans un établissement que si son chef": {(H, Permission.MANDATES_MANAGE): True},
    "Seul le chef d’établissement ouvre l’établissement à un inspecteur.": {
        (role, Permission.MANDATES_MANAGE): role is H for role in Role
    },
    "Vous seul, chef d’établissement, ouvrez l’établissement": {
        (role, Permission.MANDATES_MANAGE): role is H for role in Role
    },
    "L’apprenant voit ce qui le concerne.": {(S, Permission.OWN_RECORDS): True, (S, Permission.PUPILS_VIEW): False},
    "Les enseignants voient les apprenants de leurs divisions.": {(T, Permission.PUPILS_VIEW): True},
    "Le chef d’établissement voit l’ensemble de son établissement.": {(H, permission): True for permission in READABLE},
    "Un inspecteur ne voit que ce que le chef d’établissement lui a ouvert": {
        (I, permission): False
        for permission in (Permission.USERS_VIEW, Permission.JOURNAL_VIEW, Permission.RECORDS_EXPORT)
    },
    "Le support de la plateforme voit les données administratives": {
        (P, Permission.STUDENTS_VIEW): True,
        (P, Permission.USERS_VIEW): True,
        (P, RECORDS): False,
        (P, SCENARIOS): False,
        (P, Permission.USERS_EDIT): False,
    },
    "Avec le numéro d’une page d’erreur, le support lit aussi": {
        (P, Permission.PLATFORM_FOLLOW): True,
        (A, Permission.PLATFORM_FOLLOW): False,
        (H, Permission.PLATFORM_FOLLOW): False,
    },
    "L’administrateur gère les comptes et les réglages, sans accès au contenu pédagogique.": {
        (A, Permission.USERS_EDIT): True,
        (A, RECORDS): False,
        (A, SCENARIOS): False,
    },
}
#: Sentences of the same words that tell no right.
TELL_NO_RIGHT = (
    "Ce que voit l’inspecteur",
    "Ce que voit le chef d’établissement",
    "Ce qu’un inspecteur voit",
    "Un masque de saisie est l’intitulé que les enseignants lisent",
    "Une fiche « en brouillon »",
    "L’adresse de l’établissement, {{",
    "Les situations de formation que les enseignants",
)


def _sentences() -> dict[str, str]:
    """Return the sentences of the templates that name a role and speak of reading, and where each stands."""
    found = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        source = re.sub(r"{#.*?#}", "", path.read_text(), flags=re.S)
        source = re.sub(r"{%.*?%}", "\n", source.translate({0x202F: " ", 0xA0: " "}))
        lines = re.sub(r"<[^>]+>", "\n", re.sub(r"</?(?:strong|a|em)\b[^>]*>", "", source))
        for sentence in (each.strip() for each in re.split(r"(?<=[.!?])\s|\n", lines)):
            if re.search(ROLES, sentence, re.I) and re.search(VERBS, sentence):
                found[sentence] = path.name
    return found


def test_rights_sentences_agree_with_the_table() -> None:
    for sentence, where in _sentences().items():
        known = [each for each in (*CLAIMS, *TELL_NO_RIGHT) if sentence.startswith(each)]
        assert known, f"{where}: « {sentence} » tells who reads what: draw it from core.rights, or hold it in CLAIMS"


def test_rights_sentences_are_there_for_each_claim() -> None:
    written = " ".join(
        re.sub(r"</?(?:strong|a|em)\b[^>]*>", "", path.read_text().translate({0x202F: " ", 0xA0: " "}))
        for path in TEMPLATES.rglob("*.html")
    )
    for claim in CLAIMS:
        assert claim in written, f"no page says « {claim} » any more"


@pytest.mark.parametrize("sentence", CLAIMS)
def test_rights_sentences_claim_what_the_table_says(sentence: str) -> None:
    for (role, permission), held in CLAIMS[sentence].items():
        assert (permission in ROLE_PERMISSIONS[role]) is held, f"« {sentence} »: {role.label}, {permission.value}"


@pytest.mark.parametrize("role", Role)
def test_rights_sentences_draw_all_that_can_be_read(role: Role) -> None:
    assert sorted([*list_read_by(role), *list_closed_to(role)]) == sorted(READABLE.values())


@pytest.mark.parametrize("address", ["/admin/parametres/inspecteurs", "/aide/inspecteurs"])
def test_rights_sentences_show_whole_what_an_inspector_reads(
    as_: Callable[..., Browser], world: World, address: str
) -> None:
    page = Page(as_("administrator").get(address)).text

    for words in (*list_read_by(Role.INSPECTOR), *list_closed_to(Role.INSPECTOR)):
        assert words in page, words
    assert "les scénarios des enseignants" in list_read_by(Role.INSPECTOR)
