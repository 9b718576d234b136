"""Every page there is, and every state it can be in, as (who, where, what they do, which status ends it)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy

from playwright.sync_api import Page
from sqlalchemy import create_engine, text

from tests.helpers.chromium import PASSWORD, Site, sign_in
from tests.helpers.days import days_from_today, today
from tests.helpers.pictures import png, stamp_on_paper

PARTICULARS = "/admin/parametres/etablissement"
TRANSFERS = "/admin/parametres/transferts"
MASKS = "/admin/parametres/masques"
PICTURES = "/admin/parametres/logo"
INSPECTORS = "/admin/parametres/inspecteurs"
HELP = (
    "etablissement",
    "transferts",
    "declaration-cnil",
    "masques",
    "logo",
    "inspecteurs",
    "listes",
    "utilisateurs",
    "competences",
    "scenarios",
    "mots",
)


@dataclass(frozen=True)
class Scene:
    """A page in one of its states; `act` starts on `path` and ends on the page to look at."""

    name: str
    who: str
    path: str
    status: int = 200
    act: Callable[[Site, Page], object] | None = None


def press(label: str, /, **typed: str) -> Callable[[Site, Page], None]:
    """Return the action of filling fields (by name) and pressing a button."""

    def act(site: Site, page: Page) -> None:
        for name, value in typed.items():
            field = page.locator(f"main [name={name}]")
            if field.evaluate("each => each.localName") == "select":
                field.select_option(value)
            else:
                field.fill(value)
        page.locator("main").get_by_role("button", name=label, exact=True).click()

    return act


def keep_list(name: str) -> Callable[[Site, Page], None]:
    """Return the action of keeping a list under a name."""

    def act(site: Site, page: Page) -> None:
        page.locator("summary", has_text="Garder cette liste").click()
        press("Garder cette liste", name=name)(site, page)

    return act


def _conflict(site: Site, page: Page) -> None:
    """Save in a second window what the first one then saves otherwise."""
    page.locator("[name=city]").fill("Ville de la première fenêtre")
    other = page.context.new_page()
    other.goto(PARTICULARS)
    other.locator("[name=city]").fill("Ville de la seconde fenêtre")
    other.get_by_role("button", name="Valider").click()
    other.locator(".flash").wait_for()
    other.close()
    page.get_by_role("button", name="Valider").click()


def end_sign_in(site: Site) -> None:
    """Let half an hour go by for whoever signed in last."""
    engine = create_engine(site.platform.database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
        connection.execute(
            text(
                "UPDATE sign_in SET last_seen_at = '2020-01-01 00:00:00.000000' "
                "WHERE id = (SELECT max(id) FROM sign_in)"
            )
        )
    engine.dispose()


def _expired(site: Site, page: Page) -> None:
    sign_in(page, "chatelet", "administrateur")
    page.goto(PARTICULARS)
    page.locator("[name=city]").fill("Tapé avant la fin de la session")
    end_sign_in(site)
    page.get_by_role("button", name="Valider").click()
    page.wait_for_url(lambda address: "/connexion" in address)


def _restored(site: Site, page: Page) -> None:
    _expired(site, page)
    sign_in(page, "chatelet", "administrateur")


def _deposit(kind: str, content: bytes) -> Callable[[Site, Page], None]:
    def act(site: Site, page: Page) -> None:
        field = page.locator(f"#file-{kind}")
        field.set_input_files({"name": "i.png", "mimeType": "image/png", "buffer": content})
        page.locator(f"[formaction$='/televerser/{kind}']").click()

    return act


def _clearing(site: Site, page: Page) -> None:
    """Deposit a stamp on its paper and ask for what it would be without."""
    with page.expect_navigation():
        _deposit("cachet", stamp_on_paper())(site, page)
    page.get_by_role("link", name="Rendre le blanc transparent").click()


def _forged(site: Site, page: Page) -> None:
    """Press the button after the page's token was lost."""
    page.locator("form:has([name=current_password]) [name=csrf_token]").evaluate("field => { field.value = 'autre'; }")
    page.get_by_role("button", name="Changer mon mot de passe").click()


def open_mandate(site: Site) -> None:
    """Open the first school to the demonstration's inspector for a month, unless its head already has."""
    page = site.visitor("chef@lovelace")
    page.goto(INSPECTORS)
    if "inspecteur@cpro.example" in page.locator("main").inner_text():
        return
    values = {
        "name": "Dominique Schiste",
        "email": "inspecteur@cpro.example",
        "starts_on": today().isoformat(),
        "ends_on": days_from_today(30).isoformat(),
        "purpose": "Visite de la terminale MELEC",
    }
    for name, value in values.items():
        page.locator(f"main [name={name}]").fill(value)
    page.get_by_label("Bac pro MELEC").check()
    page.get_by_role("button", name="Ouvrir l’accès").click()
    page.wait_for_selector(".flash")


def _address_link(site: Site, page: Page) -> None:
    """Open the link that a teacher's address receives once the administrator changed it."""
    folder = site.platform.folder / "instance" / "mail"
    before = set(folder.glob("*.eml"))
    administrator = site.visitor("administrateur@chatelet")
    administrator.goto("/admin/utilisateurs/?role=teacher")
    administrator.locator("tbody th a").first.click()
    administrator.get_by_role("main").get_by_role("link", name=re.compile("^Corriger")).first.click()
    administrator.locator("main [name=email]").fill(f"quartz{len(before)}@maison.example")
    administrator.get_by_role("button", name="Valider", exact=True).click()
    administrator.wait_for_selector(".flash")
    letters = [
        message_from_bytes(each.read_bytes(), policy=policy.default) for each in {*folder.glob("*.eml")} - before
    ]
    [link] = [found for each in letters for found in re.findall(r"/adresse/\S+", str(each.get_content()))]
    page.goto(link)


def _follow(label: str) -> Callable[[Site, Page], None]:
    """Return the action of following the link of a mandate that is open."""

    def act(site: Site, page: Page) -> None:
        open_mandate(site)
        page.reload()
        page.locator("main").get_by_role("link", name=re.compile(f"^{label}")).first.click()

    return act


def _inside(path: str) -> Callable[[Site, Page], None]:
    """Return the action of entering the school as its inspector, then opening a page."""

    def act(site: Site, page: Page) -> None:
        open_mandate(site)
        page.goto("/ecoles")
        page.get_by_role("button", name=re.compile("^Entrer")).click()
        page.goto(path)

    return act


SIGNED_OUT = [
    Scene("sign-in", "", "/connexion"),
    Scene("sign-in-of-a-school", "", "/chatelet/"),
    Scene("sign-in-empty", "", "/connexion", 422, press("Se connecter")),
    Scene("sign-in-refused", "", "/connexion", 422, press("Se connecter", login="personne", password="non")),
    Scene("sign-in-expired", "", "/connexion", 200, _expired),
    Scene("activation", "", "/activation"),
    Scene("activation-empty", "", "/activation", 422, press("Enregistrer et se connecter")),
    Scene(
        "activation-refused",
        "",
        "/activation",
        422,
        press(
            "Enregistrer et se connecter",
            establishment="chatelet",
            login="chef",
            code="AAAA-BBBB-CCCC",
            password=PASSWORD,
            password_confirm=PASSWORD,
        ),
    ),
    Scene("forgotten", "", "/mot-de-passe-oublie"),
    Scene("forgotten-empty", "", "/mot-de-passe-oublie", 422, press("Envoyer un code")),
    Scene("forgotten-sent", "", "/mot-de-passe-oublie", 200, press("Envoyer un code", login="personne")),
    Scene("sitemap", "", "/plan-du-site"),
    Scene("accessibility", "", "/mentions/accessibilite"),
    Scene("privacy", "", "/mentions/donnees-personnelles"),
    Scene("operator", "", "/mentions/administration"),
    Scene("not-found-signed-out", "", "/rien/du/tout", 404),
]

TABS = [
    Scene(f"{tab}-{who.partition('@')[0]}-{who.partition('@')[2]}", who, path)
    for tab, path in (
        ("dashboard", "/admin/"),
        ("particulars", PARTICULARS),
        ("transfers", TRANSFERS),
        ("transfers-done", f"{TRANSFERS}/effectues"),
        ("masks", MASKS),
        ("masks-of-a-diploma", f"{MASKS}?diplome=40025520"),
        ("pictures", PICTURES),
        ("students-without-ine", "/admin/eleves-sans-ine"),
        ("help", "/aide/transferts"),
        ("account", "/mon-compte"),
    )
    for who in ("administrateur@lovelace", "administrateur@chatelet", "chef@lovelace", "support@lovelace")
]

OTHERS = [
    *(Scene(f"help-{slug}", "administrateur@lovelace", f"/aide/{slug}") for slug in HELP),
    *(
        Scene(f"home-{who.partition('@')[0]}", who, "/")
        for who in ("enseignante@lovelace", "apprenant@lovelace", "inspecteur@", "support@")
    ),
    *(Scene(f"account-{who.partition('@')[0]}", who, "/mon-compte") for who in ("apprenant@lovelace", "inspecteur@")),
    *(
        Scene(f"search-{who.partition('@')[0]}", who, "/recherche?q=a")
        for who in ("administrateur@lovelace", "enseignante@lovelace", "support@")
    ),
    *(
        Scene(f"support-{who.partition('@')[2] or 'all'}", who, "/ecoles/support")
        for who in ("support@", "support@lovelace")
    ),
    Scene("support-error-none", "support@", "/ecoles/erreurs?code=abcdef012345"),
    Scene("problem", "enseignante@lovelace", "/probleme?code=abcdef012345"),
    Scene("search-nothing", "chef@lovelace", "/recherche?q=introuvable"),
    Scene("schools-sought", "support@", "/ecoles?recherche=love"),
    Scene("schools-none", "support@", "/ecoles?recherche=introuvable"),
    Scene("sitemap-signed-in", "administrateur@lovelace", "/plan-du-site"),
    Scene("accessibility-signed-in", "chef@lovelace", "/mentions/accessibilite"),
    Scene("masks-compared", "chef@lovelace", f"{MASKS}/comparer?diplome=40025520"),
    Scene("masks-two", "administrateur@lovelace", f"{MASKS}/comparer?diplome=40025520&vers=50025524"),
    Scene("masks-copied", "administrateur@lovelace", f"{MASKS}/copier?diplome=40025520&vers=50025524"),
    Scene("confirm-one-mask", "administrateur@lovelace", f"{MASKS}/reinitialiser?diplome=40025520&key=links"),
    Scene("confirm-all-masks", "administrateur@lovelace", f"{MASKS}/reinitialiser?diplome=40025520"),
    Scene("passport-page", "chef@lovelace", f"{PICTURES}/passeport/derniere-page"),
    Scene("confirm-logo", "chef@lovelace", f"{PICTURES}/supprimer/logo"),
    Scene("confirm-address", "chef@lovelace", f"{PARTICULARS}/confirmer-adresse"),
    Scene(
        "confirm-address-refused",
        "chef@lovelace",
        f"{PARTICULARS}/confirmer-adresse",
        422,
        press("Confirmer cette adresse", current_password="Faux-faux-faux-42!"),
    ),
    Scene("teachers-consent", "chef@lovelace", "/admin/utilisateurs/accord-enseignants"),
    *(Scene(f"sessions-{who.partition('@')[0]}", who, "/mon-compte/sessions") for who in ("chef@lovelace", "support@")),
    *(
        Scene(f"second-factor-{who.partition('@')[0]}", who, "/mon-compte/second-facteur")
        for who in ("chef@lovelace", "inspecteur@")
    ),
    Scene("passkeys-none", "chef@lovelace", "/mon-compte/second-facteur/cles"),
    Scene(
        "second-factor-refused",
        "enseignante@lovelace",
        "/mon-compte/second-facteur",
        422,
        press("Commencer", current_password="Faux-faux-faux-42!"),
    ),
    Scene("own-address", "enseignante@lovelace", "/mon-compte/adresse"),
    Scene("address-link-over", "", "/adresse/lien-qui-a-deja-servi", 404),
    Scene("address-link", "", "/connexion", 200, _address_link),
]

MANDATES = [
    Scene("inspectors-head", "chef@chatelet", INSPECTORS),
    Scene("inspectors-administrator", "administrateur@lovelace", INSPECTORS),
    Scene("inspectors-refused", "chef@chatelet", INSPECTORS, 422, press("Ouvrir l’accès", ends_on="2020-01-01")),
    Scene(
        "inspectors-opened", "chef@lovelace", INSPECTORS, 200, lambda site, page: (open_mandate(site), page.reload())
    ),
    Scene("inspectors-close", "chef@lovelace", INSPECTORS, 200, _follow("Fermer")),
    Scene("inspectors-extend", "chef@lovelace", INSPECTORS, 200, _follow("Prolonger")),
    Scene("inspectors-choice", "inspecteur@", "/ecoles", 200, lambda site, page: (open_mandate(site), page.reload())),
    Scene("inspector-students", "inspecteur@", "/ecoles", 200, _inside("/admin/eleves/")),
    Scene("inspector-student", "inspecteur@", "/ecoles", 200, _inside("/admin/eleves/details/?id=1")),
    Scene("inspector-particulars", "inspecteur@", "/ecoles", 200, _inside(PARTICULARS)),
    Scene("inspector-forbidden", "inspecteur@", "/ecoles", 403, _inside("/admin/journal/")),
    Scene("inspectors-consultations", "chef@lovelace", INSPECTORS, 200, _follow("Consultations")),
    Scene("mandates-head", "chef@lovelace", "/admin/mandats/"),
    Scene("mandates-support", "support@lovelace", "/admin/mandats/"),
    Scene("modules", "chef@lovelace", "/admin/parametres/modules"),
    Scene("modules-saved", "chef@chatelet", "/admin/parametres/modules", 200, press("Valider")),
]

REFUSALS = [
    Scene("not-found", "administrateur@lovelace", "/admin/rien", 404),
    Scene("no-such-help", "administrateur@lovelace", "/aide/rien", 404),
    Scene("forbidden", "enseignante@lovelace", PARTICULARS, 403),
    Scene("forbidden-reset", "chef@lovelace", f"{MASKS}/reinitialiser?diplome=40025520", 403),
    Scene("wrong-method", "support@", "/ecoles/quitter", 405),
    Scene("lost-token", "administrateur@lovelace", "/mon-compte", 400, _forged),
    Scene(
        "particulars-refused",
        "administrateur@chatelet",
        PARTICULARS,
        422,
        press("Valider", uai="0940321S", email="a@b", postal_code="9500A", name="x" * 300),
    ),
    Scene(
        "particulars-password-asked",
        "administrateur@lovelace",
        PARTICULARS,
        422,
        press("Valider", email="accueil@lovelace.example"),
    ),
    Scene("particulars-conflict", "administrateur@lovelace", PARTICULARS, 409, _conflict),
    Scene("particulars-restored", "", "/connexion", 200, _restored),
    Scene(
        "particulars-saved",
        "administrateur@lovelace",
        PARTICULARS,
        200,
        press("Valider", city="Sainte-Exemple-d’en-Haut"),
    ),
    Scene("transfers-refused", "chef@chatelet", TRANSFERS, 422, press("Valider", cnil_reference="12345")),
    Scene(
        "masks-refused",
        "administrateur@chatelet",
        f"{MASKS}?diplome=40025520",
        422,
        press("Valider", description="x" * 300),
    ),
    Scene(
        "masks-saved",
        "administrateur@chatelet",
        f"{MASKS}?diplome=50025524",
        200,
        press("Valider", description="Le chantier", links="Documents du constructeur"),
    ),
    Scene(
        "picture-refused",
        "administrateur@chatelet",
        PICTURES,
        422,
        _deposit("logo", b"\x89PNG\r\n\x1a\n" + b"rien" * 9),
    ),
    Scene("picture-missing", "administrateur@chatelet", PICTURES, 422, press("Télécharger un logo")),
    Scene("picture-saved", "administrateur@chatelet", PICTURES, 200, _deposit("cachet", png(90, 60))),
    Scene("picture-clear", "administrateur@lovelace", PICTURES, 200, _clearing),
    Scene("picture-clear-refused", "administrateur@chatelet", f"{PICTURES}/transparence", 422),
    Scene("password-refused", "administrateur@lovelace", "/mon-compte", 422, press("Changer mon mot de passe")),
]

SCENES = [*SIGNED_OUT, *TABS, *OTHERS, *MANDATES, *REFUSALS]
