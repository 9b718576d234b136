"""The site map (RGAA 12.1): the menu with its tabs and lists, the person's account, help, legal mentions.

Built from what the pages themselves show to the visitor: it lists nothing that they may not open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, url_for

from cpro.core.permissions import Principal, access_of, can
from cpro.core.web.registry import MenuEntry
from cpro.core.web.screens import Screen
from cpro.site.help import HELP_PAGES
from cpro.site.menu import list_entries

#: The title of the section that lists the help pages.
HELP = "Aide"
_SIGNED_OUT = (
    ("Se connecter", "users.sign_in"),
    ("Activer mon compte", "users.activate"),
    ("Mot de passe oublié", "users.forgotten_password"),
)
_ACCOUNT = (
    ("Choisir un établissement", "schools.choose"),
    ("Nouveautés", "news.index"),
    ("Mon compte", "users.own_account"),
    ("Mon second facteur", "second_factor.index"),
    ("Mes sessions", "sessions.index"),
)
_ABOUT = (
    ("Décrire un problème", "problems.describe"),
    ("Vérifier un passeport", "verification.ask"),
    ("Plan du site", "pages.sitemap"),
    ("Accessibilité", "pages.accessibility"),
    ("Données personnelles", "pages.privacy"),
    ("Qui administre CPro", "pages.operator"),
)


#: Other names for the purpose of a page, where its title does not say it; the header's search also uses them.
_KEYWORDS = {
    "accesses.index": "accès ouverts, droits, inspecteurs, adjoint, DDFPT, visites du support, contrôle",
    "admin.index": "accueil, étapes",
    "credential_sheets.choose": "imprimer les codes, premier mot de passe, codes perdus",
    "eleves.index_view": "ouvrir un compte, apprenants, noter un départ, changer de division, créer un élève, doublon",
    "emergency.index": "fermer, bloquer, verrouiller, piratage, incident",
    "figures.index": "statistiques, bilan, niveaux atteints, nombre d’évaluations, comparaison, rapport",
    "imports.index": "SIECLE, STS, fichiers, charger, mettre à jour les élèves, changer de division, départs",
    "inspectors.index": "mandat, IEN, visite d’un inspecteur",
    "journal.index_view": "historique",
    "masks.edit": "libellés, formulaire de fiche",
    "modules.edit": "activer, désactiver une fonction",
    "news.index": "cloche, notifications, alertes, décisions, dernières actions",
    "pages.operator": "équipe, contact, adresse de l’assistance, exploitant, plus de chef, code du chef",
    "problems.describe": "aide, assistance, signaler, bug, panne, erreur, téléphone du support",
    "retention.edit": "effacer, supprimer, durée, RGPD",
    "second_factor.index": "double authentification, application du téléphone, clé d’accès",
    "sessions.index": "connexions, appareils",
    "settings.establishment": "adresse, téléphone, UAI, signataire, courriel",
    "settings.pictures": "cachet, tampon, signature, image, transparent",
    "settings.transfers": "changement d’établissement",
    "students.without_ine": "liste, identifiant national manquant",
    "users.own_account": "mot de passe, changer mon adresse électronique",
    "utilisateurs.index_view": "ouvrir un compte, mot de passe d’un utilisateur, enseignants, professeurs, désactiver",
}


#: The pages that a menu entry leads to besides its tabs and lists, with their titles.
_BENEATH = {
    "eleves.index_view": (("Élèves sans INE", "students.without_ine"),),
    "scenarios.index": (("Écrire un scénario", "scenarios.create"),),
    "support.state": (("Problèmes décrits", "support.problems"),),
    "utilisateurs.index_view": (
        ("Fiches d’activation", "credential_sheets.choose"),
        ("Ouvrir les comptes des élèves", "pupil_accounts.open_accounts"),
        ("Comptes reliés à un élève", "pupil_accounts.seen_links"),
        ("Accord pour les comptes d’enseignants", "teachers.ask"),
    ),
}


@dataclass(frozen=True)
class Line:
    """A page, and the pages below it."""

    label: str
    url: str
    under: tuple[Line, ...] = ()


def list_keywords() -> dict[str, str]:
    """Return the keywords of the pages of the map, by their addresses."""
    return {url_for(endpoint): words for endpoint, words in _KEYWORDS.items()}


def list_sections(person: Principal | None, *, in_school: bool) -> list[tuple[str, list[Line]]]:
    """Return the sections of the map, each a title and its pages, limited to what this person may open."""
    sections = [
        ("Menu", [_describe_entry(each, person) for each in list_entries(person)] if person and in_school else []),
        ("Mon compte", list(_list_open(_ACCOUNT, person)) if person else list(_list_open(_SIGNED_OUT, None))),
        (HELP, list(_list_help(person))),
        ("À propos de CPro", list(_list_open(_ABOUT, person))),
    ]
    return [(title, lines) for title, lines in sections if lines]


def _describe_entry(entry: MenuEntry, person: Principal) -> Line:
    """Return a menu entry with its tabs, the pages below it, and the lists that it covers."""
    tabs = [Line(each["label"], each["url"]) for each in entry.tabs()]
    lists = [
        Line(f"Toute la liste\u202f: {screen.name}", url_for(f"{screen.endpoint}.index_view"))
        for screen in current_app.extensions["admin"][0]._views
        if isinstance(screen, Screen)
        and f"{screen.endpoint}.*" in entry.covers
        and f"{screen.endpoint}.index_view" != entry.endpoint
        and _may_open(f"{screen.endpoint}.index_view", person)
    ]
    beneath = _list_open(_BENEATH.get(entry.endpoint, ()), person)
    return Line(entry.label, url_for(entry.endpoint), (*tabs, *beneath, *lists))


def _list_help(person: Principal | None) -> Iterator[Line]:
    if _may_open("pages.help_index", person):
        pages = tuple(Line(title, url_for("pages.help_page", slug=slug)) for slug, title in HELP_PAGES.items())
        yield Line("Pages d’aide", url_for("pages.help_index"), pages)


def _list_open(pages: tuple[tuple[str, str], ...], person: Principal | None) -> Iterator[Line]:
    return (Line(label, url_for(endpoint)) for label, endpoint in pages if _may_open(endpoint, person))


def _may_open(endpoint: str, person: Principal | None) -> bool:
    access = access_of(current_app.view_functions[endpoint])
    return access is not None and (access.permission is None or can(person, access.permission))
