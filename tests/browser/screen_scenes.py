"""Generated screens, users, journal, history and sheets, and every state they can be in; see `scenes`."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.scenes import PARTICULARS, TRANSFERS, Scene, keep_list, press
from tests.helpers.chromium import PASSWORD, Site
from tests.helpers.days import today

STUDENTS, DIVISIONS, DIPLOMAS = "/admin/eleves/", "/admin/divisions/", "/admin/diplomes/"
MEFS, WORKBOOK = "/admin/mefs/", "/admin/eleves/export/xlsx/"
USERS, MASKS_SCREEN, JOURNAL = "/admin/utilisateurs/", "/admin/masques/", "/admin/journal/"
ACCOUNTS, PUPIL_USERS = "/admin/eleves/ouvrir-comptes", "/admin/utilisateurs/?recherche=apprenant"
HISTORY, SHEETS = "/admin/parametres/historique", "/admin/utilisateurs/fiches"

Act = Callable[[Site, Page], object]
_LONG_NAME = "Wertherwilhelminenburgersteinmetzgeselle-Constantinopolitanopoulos"


def follow(*names: str) -> Act:
    """Return the action of following links of the page's content, one after the other, by what their text begins with.

    Not by what they are called: that says the person of a row first name first.
    """

    def act(site: Site, page: Page) -> None:
        for name in names:
            text = re.compile(r"^\s*" + name.replace(" ", r"\s+"))
            page.get_by_role("main").get_by_role("link").filter(has_text=text).first.click()

    return act


def then(*acts: Act) -> Act:
    """Return several actions as one."""

    def act(site: Site, page: Page) -> None:
        for each in acts:
            each(site, page)
            page.wait_for_load_state("networkidle")

    return act


def go(path: str) -> Act:
    """Return the action of opening an address."""
    return lambda site, page: page.goto(path)


def confirm(site: Site, page: Page) -> None:
    """Press the button of a confirmation, with one's own password where it asks for it."""
    for field in page.locator("main [name=current_password]").all():
        field.fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()


def _open_the_first(site: Site, page: Page) -> None:
    page.locator("tbody th a").first.click()


def _tick(*names: str) -> Act:
    """Return the action of ticking rows and asking for what is done to several."""

    def act(site: Site, page: Page) -> None:
        for name in names:
            page.get_by_label(f"Cocher {name}").check()
        page.get_by_role("button", name="Continuer").click()

    return act


def _person(last_name: str, role: str = "Enseignant") -> Act:
    """Return the action of creating an account by hand."""

    def act(site: Site, page: Page) -> None:
        page.goto(f"{USERS}new/")
        page.get_by_label("Rôle").select_option(label=role)
        press("Valider", last_name=last_name, first_name="Camille")(site, page)

    return act


def _consent(name: str) -> Act:
    """Return the action of the head who consents to an account that waits."""
    return then(follow(name, "Donner mon accord"), confirm)


def _tick_first(number: int, action: str) -> Act:
    """Return the action of ticking the first rows and asking for what is done to them."""

    def act(site: Site, page: Page) -> None:
        for box in page.locator("tbody [type=checkbox]").all()[:number]:
            box.check()
        page.get_by_label("Pour les lignes cochées").select_option(label=action)
        page.get_by_role("button", name="Continuer").click()

    return act


def _open_account(site: Site, page: Page) -> None:
    """Open the account of the pupil of the page."""
    then(follow("Ouvrir un compte"), confirm)(site, page)


def _student_without_pupil(site: Site, page: Page) -> None:
    """Ask for the account of a pupil without saying whose."""
    page.get_by_label("Rôle", exact=True).select_option(label="Apprenant")
    press("Valider", last_name="a")(site, page)


def _conflict(site: Site, page: Page) -> None:
    """Correct a person in a second window, then otherwise in the first one."""
    follow("Corriger .*QUARTZ")(site, page)
    page.wait_for_url("**/edit/**")
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("[name=discipline]").fill("Saisie de la seconde fenêtre")
    other.get_by_role("button", name="Valider").click()
    other.wait_for_url("**/details/**")
    other.close()
    press("Valider", discipline="Saisie de la première fenêtre")(site, page)


def _await_workbook(site: Site, page: Page) -> None:
    """Ask for the workbook of the pupils, and wait until it is there."""
    press("Préparer le classeur XLSX")(site, page)
    page.get_by_role("link", name=re.compile("^Télécharger")).wait_for(timeout=60_000)
    page.reload()


def _without_siecle(site: Site, page: Page) -> None:
    page.goto(TRANSFERS)
    page.locator("[name=uses_siecle][value=non]").check()
    press("Valider")(site, page)


def _second_agate(site: Site, page: Page) -> None:
    """Enter a pupil a second time."""
    go(f"{STUDENTS}new/")(site, page)
    press("Valider", last_name="Agate", first_name="Noé", birth_date="2009-01-31")(site, page)
    go(STUDENTS)(site, page)


def _first_address(page: Page) -> str:
    return str(page.locator("tbody th a").first.get_attribute("href"))


def _diploma(code: str) -> Act:
    return then(
        go(f"{DIPLOMAS}new/"),
        press("Valider", code=code, label=f"Diplôme d’établissement {code}", short_label=f"Diplôme {code}"),
    )


def _mef(code: str) -> Act:
    return then(go(f"{MEFS}new/"), press("Valider", code=code, label="1CAP2 MAINTENANCE DES MATERIELS OPT A"))


def _tables_open(site: Site, page: Page) -> None:
    for summary in page.locator("main summary").all():
        summary.click()


ADMIN, HEAD, SUPPORT = "administrateur@lovelace", "chef@lovelace", "support@lovelace"
#: The school where a particular is missing.
GATED = "administrateur@chatelet"

_LISTS = {
    "students": STUDENTS,
    "divisions": DIVISIONS,
    "diplomas": DIPLOMAS,
    "mefs": MEFS,
    "users": USERS,
    "masks-screen": MASKS_SCREEN,
    "establishments": "/admin/etablissements/",
    "journal": JOURNAL,
}

READING = [
    *(
        Scene(f"{name}-list-{who.partition('@')[0]}", who, path)
        for name, path in _LISTS.items()
        for who in (ADMIN, SUPPORT)
    ),
    *(
        Scene(f"{name}-details-{who.partition('@')[0]}", who, path, 200, _open_the_first)
        for name, path in _LISTS.items()
        for who in (ADMIN, SUPPORT)
        if path != MASKS_SCREEN
    ),
    Scene("students-sought", ADMIN, f"{STUDENTS}?recherche=ma&tri=name&ordre=desc&lignes=50"),
    Scene("students-filtered", ADMIN, f"{STUDENTS}?situation=partis&ine=sans&division=TMELEC"),
    Scene("students-none", ADMIN, f"{STUDENTS}?recherche=introuvable"),
    Scene("students-last-page", ADMIN, f"{STUDENTS}?fin=oui"),
    Scene("students-letter", ADMIN, f"{STUDENTS}?lettre=t"),
    Scene("students-not-kept", ADMIN, f"{STUDENTS}?ine=sans", 422, keep_list("")),
    Scene("students-kept", ADMIN, f"{STUDENTS}?ine=sans", 200, keep_list("Sans INE")),
    Scene("students-kept-lists", ADMIN, f"{STUDENTS}listes/"),
    Scene("users-filtered", HEAD, f"{USERS}?role=teacher&etat=actif"),
    Scene("users-head", HEAD, USERS),
    Scene("journal-filtered", HEAD, f"{JOURNAL}?recherche=granite&du=2020-01-01"),
    Scene("no-such-student", ADMIN, f"{STUDENTS}details/?id=99999999999999999999", 404),
    Scene("dashboard-tables", HEAD, "/admin/", 200, _tables_open),
]

WORKBOOKS = [
    Scene("workbook-offered", ADMIN, WORKBOOK),
    Scene("workbook-ready", ADMIN, f"{WORKBOOK}?situation=presents", 200, _await_workbook),
    Scene("workbook-listed", ADMIN, WORKBOOK),
]

GATES = [
    Scene("users-gated", GATED, USERS),
    Scene("user-new-gated", GATED, f"{USERS}new/"),
    Scene("sheets-gated", GATED, SHEETS),
    Scene("students-kept-by-siecle", GATED, STUDENTS),
    Scene("student-new-kept-by-siecle", GATED, f"{STUDENTS}new/"),
]

WRITING = [
    Scene("user-new", ADMIN, f"{USERS}new/"),
    Scene("user-new-refused", ADMIN, f"{USERS}new/", 422, press("Valider", email="a@b")),
    Scene("user-created", ADMIN, USERS, 200, _person("Obsidienne")),
    Scene("teacher-consent", HEAD, f"{USERS}?etat=accord", 200, _consent("OBSIDIENNE")),
    Scene("user-edit", ADMIN, USERS, 200, follow("Corriger .*OBSIDIENNE")),
    Scene("user-conflict", ADMIN, USERS, 409, _conflict),
    Scene("user-reset", ADMIN, USERS, 200, follow("OBSIDIENNE", "Réinitialiser")),
    Scene("user-new-code", ADMIN, USERS, 200, then(follow("OBSIDIENNE", "Réinitialiser"), confirm)),
    Scene("user-deactivate", ADMIN, USERS, 200, follow("OBSIDIENNE", "Désactiver")),
    Scene("users-bulk", ADMIN, USERS, 200, _tick("Camille OBSIDIENNE", "Inès QUARTZ")),
    Scene("users-bulk-nobody", ADMIN, USERS, 200, _tick()),
    Scene("user-deactivated", ADMIN, USERS, 200, then(follow("OBSIDIENNE", "Désactiver"), confirm)),
    Scene("user-oneself", ADMIN, USERS, 200, follow("GRANITE")),
    Scene("user-pending", ADMIN, USERS, 200, _person("Pyrite", "Administrateur")),
    Scene("dashboard-pending", HEAD, "/admin/"),
    Scene("consent", HEAD, f"{USERS}?etat=accord", 200, follow("PYRITE", "Donner mon accord")),
    Scene("consent-given", HEAD, f"{USERS}?etat=accord", 200, _consent("PYRITE")),
    Scene("consent-revoke", HEAD, USERS, 200, follow("PYRITE", "Retirer mon accord")),
    Scene("own-email", HEAD, "/mon-compte/adresse"),
    Scene("accounts-choice", ADMIN, ACCOUNTS),
    Scene("accounts-gated", GATED, f"{ACCOUNTS}?tous=oui"),
    Scene("accounts-confirm", ADMIN, STUDENTS, 200, follow("Ouvrir les comptes de tous")),
    Scene("accounts-ticked", ADMIN, f"{STUDENTS}?division=1MELEC", 200, _tick_first(3, "Ouvrir un compte")),
    Scene("account-opened", ADMIN, f"{STUDENTS}?division=1MELEC", 200, then(_open_the_first, _open_account)),
    Scene("pupil-of-an-account", ADMIN, PUPIL_USERS, 200, follow("AGATE")),
    Scene("account-of-a-pupil", ADMIN, PUPIL_USERS, 200, follow("AGATE", "Voir la fiche de l’élève")),
    Scene("account-unlink", ADMIN, PUPIL_USERS, 200, follow("AGATE", "Délier")),
    Scene("account-unlinked", ADMIN, PUPIL_USERS, 200, then(follow("AGATE", "Délier"), confirm)),
    Scene("account-link-choice", ADMIN, PUPIL_USERS, 200, follow("AGATE", "Relier à un élève")),
    Scene(
        "account-link-nobody",
        ADMIN,
        PUPIL_USERS,
        200,
        then(follow("AGATE", "Relier à un élève"), press("Chercher", recherche="introuvable")),
    ),
    Scene(
        "account-link",
        ADMIN,
        PUPIL_USERS,
        200,
        then(follow("AGATE", "Relier à un élève"), press("Chercher", recherche="agate"), follow("Relier")),
    ),
    Scene(
        "account-linked",
        ADMIN,
        PUPIL_USERS,
        200,
        then(follow("AGATE", "Relier à un élève"), press("Chercher", recherche="agate"), follow("Relier"), confirm),
    ),
    Scene("links-noted", HEAD, "/admin/utilisateurs/liens"),
    Scene("links-noted-dashboard", HEAD, "/admin/"),
    Scene("user-new-student", ADMIN, f"{USERS}new/", 422, _student_without_pupil),
    Scene("accounts-opened", ADMIN, STUDENTS, 200, then(follow("Ouvrir les comptes de tous"), confirm)),
    Scene("sheets", ADMIN, SHEETS),
    Scene("sheets-refused", ADMIN, SHEETS, 422, press("Préparer les fiches")),
    Scene("sheets-created", ADMIN, f"{SHEETS}?pour=role&role=student", 200, press("Préparer les fiches")),
    Scene("sheets-again", ADMIN, f"{SHEETS}?pour=role&role=student", 200, press("Préparer les fiches")),
    Scene("sheets-kept", ADMIN, SHEETS),
    Scene("sheets-gone", ADMIN, f"{SHEETS}/999999", 404),
    Scene("sheets-chosen", ADMIN, f"{USERS}?recherche=quartz", 200, follow("QUARTZ", "Fiche d’activation")),
    Scene("user-of-a-long-name", ADMIN, USERS, 200, _person(_LONG_NAME)),
    Scene("teacher-consent-of-a-long-name", HEAD, f"{USERS}?etat=accord", 200, _consent("WERTHERWILHELM")),
    Scene(
        "sheets-of-a-long-name",
        ADMIN,
        f"{USERS}?recherche=Wertherwilhelm",
        200,
        follow("WERTHERWILHELM", "Fiche d’activation"),
    ),
    Scene(
        "sheets-of-a-long-name-created",
        ADMIN,
        f"{USERS}?recherche=Wertherwilhelm",
        200,
        then(follow("WERTHERWILHELM", "Fiche d’activation"), press("Préparer les fiches")),
    ),
    Scene("wording-new", ADMIN, f"{MASKS_SCREEN}new/"),
    Scene("wording-refused", ADMIN, f"{MASKS_SCREEN}new/", 422, press("Valider", wording="Sans diplôme choisi")),
    Scene(
        "wording-created",
        ADMIN,
        f"{MASKS_SCREEN}new/",
        200,
        press("Valider", diploma="40025520", wording="Le chantier"),
    ),
    Scene("wording-delete", ADMIN, MASKS_SCREEN, 200, follow("Bac pro MELEC", "Supprimer")),
    Scene("diploma-new", ADMIN, f"{DIPLOMAS}new/"),
    Scene("diploma-created", ADMIN, DIPLOMAS, 200, _diploma("MAISON-1")),
    Scene("diploma-delete", ADMIN, DIPLOMAS, 200, then(_diploma("MAISON-2"), follow("Supprimer"))),
    Scene("mef-new", ADMIN, f"{MEFS}new/"),
    Scene("mef-new-refused", ADMIN, f"{MEFS}new/", 422, press("Valider", code="24")),
    Scene("mef-created", ADMIN, MEFS, 200, then(_mef("24125221210"), _mef("24125221220"))),
    Scene("mefs-to-link", ADMIN, f"{MEFS}?diplome=non"),
    Scene("mefs-to-link-dashboard", HEAD, "/admin/"),
    Scene("mef-edit", ADMIN, f"{MEFS}?diplome=non", 200, follow("Corriger")),
    Scene("mef-delete", ADMIN, f"{MEFS}?diplome=non", 200, follow("Supprimer")),
    Scene("mef-delete-refused", ADMIN, f"{MEFS}delete/?id=1", 409),  # the list offers it of no course in use
    Scene(
        "mef-linked", ADMIN, f"{MEFS}?diplome=non", 200, then(follow("Corriger"), press("Valider", diploma="40025520"))
    ),
    Scene("diplomas-of-ones-own", ADMIN, f"{DIPLOMAS}?origine=propres"),
    Scene("establishment-edit", ADMIN, "/admin/etablissements/", 200, follow("Corriger")),
    Scene("student-new", GATED, STUDENTS, 200, then(_without_siecle, go(f"{STUDENTS}new/"))),
    Scene("student-new-refused", GATED, f"{STUDENTS}new/", 422, press("Valider")),
    Scene("student-edit", GATED, STUDENTS, 200, follow("Corriger .*AGATE")),
    Scene("student-division", GATED, STUDENTS, 200, follow("AGATE", "Changer de division")),
    Scene(
        "student-division-refused",
        GATED,
        STUDENTS,
        422,
        then(follow("AGATE", "Changer de division"), press("Changer de division")),
    ),
    Scene("student-departures", GATED, STUDENTS, 200, _tick_first(3, "Noter le départ")),
    Scene("student-departure", GATED, STUDENTS, 200, follow("AGATE", "Noter son départ")),
    Scene(
        "student-departure-refused",
        GATED,
        STUDENTS,
        422,
        then(follow("AGATE", "Noter son départ"), press("Noter le départ", departed_on="2001-02-03")),
    ),
    Scene(
        "student-return",
        GATED,
        STUDENTS,
        200,
        then(
            follow("AGATE", "Noter son départ"),
            press("Noter le départ", departed_on=f"{today():%Y-%m-%d}"),
            follow("Noter son retour"),
        ),
    ),
    Scene("student-duplicate-choice", GATED, STUDENTS, 200, then(_second_agate, follow("AGATE", "Réunir un doublon"))),
    Scene(
        "student-duplicate", GATED, STUDENTS, 200, then(follow("AGATE", "Réunir un doublon"), follow("Comparer AGATE"))
    ),
    Scene(
        "student-duplicate-refused",
        GATED,
        STUDENTS,
        409,
        lambda site, page: page.goto(re.sub(r"/details/\?id=(\d+)", r"/\1/doublon/\1", _first_address(page))),
    ),
    Scene("division-course", GATED, DIVISIONS, 200, then(_open_the_first, follow("Donner une formation"))),
    Scene("division-new", GATED, f"{DIVISIONS}new/"),
]

HISTORIES = [
    *(
        Scene(f"history-{part}", ADMIN, f"{HISTORY}?de={part}")
        for part in ("etablissement", "transferts", "masques", "logo")
    ),
    Scene(
        "history-line",
        ADMIN,
        PARTICULARS,
        200,
        then(press("Valider", city="Exempleville-la-Neuve"), go(f"{HISTORY}?de=etablissement")),
    ),
    Scene("history-restore", ADMIN, f"{HISTORY}?de=etablissement", 200, follow("Rétablir")),
    Scene("history-restored", ADMIN, f"{HISTORY}?de=etablissement", 200, then(follow("Rétablir"), confirm)),
    Scene("history-head", HEAD, f"{HISTORY}?de=masques"),
    Scene("journal-full", HEAD, JOURNAL),
    Scene("journal-line", HEAD, JOURNAL, 200, _open_the_first),
]

SCREEN_SCENES = [*GATES, *READING, *WORKBOOKS, *WRITING, *HISTORIES]
