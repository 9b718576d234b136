"""Every page there is, and every state it can be in, as (who, where, what they do, which status ends it)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page
from sqlalchemy import create_engine, text

from tests.helpers.chromium import PASSWORD, Site, sign_in
from tests.helpers.pictures import png

PARTICULARS = "/admin/parametres/etablissement"
TRANSFERS = "/admin/parametres/transferts"
MASKS = "/admin/parametres/masques"
PICTURES = "/admin/parametres/logo"
HELP = ("etablissement", "transferts", "declaration-cnil", "masques", "logo")


@dataclass(frozen=True)
class Scene:
    """A page in one of its states; `act` starts on `path` and ends on the page to look at."""

    name: str
    who: str
    path: str
    status: int = 200
    act: Callable[[Site, Page], object] | None = None


def _press(label: str, **typed: str) -> Callable[[Site, Page], None]:
    """Return the gesture of filling fields (by name) and pressing a button."""

    def act(site: Site, page: Page) -> None:
        for name, value in typed.items():
            page.locator(f"main [name={name}]").fill(value)
        page.locator("main").get_by_role("button", name=label, exact=True).click()

    return act


def _conflict(site: Site, page: Page) -> None:
    """Save in a second window what the first one then saves otherwise."""
    page.locator("[name=city]").fill("Ville de la première fenêtre")
    other = page.context.new_page()
    other.goto(PARTICULARS)
    other.locator("[name=city]").fill("Ville de la seconde fenêtre")
    other.get_by_role("button", name="Valider").click()
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
        form = page.locator(f"form[action$='/televerser/{kind}']")
        form.locator("[type=file]").set_input_files({"name": "i.png", "mimeType": "image/png", "buffer": content})
        form.locator("button").click()

    return act


def _forged(site: Site, page: Page) -> None:
    """Press the button after the page's token was lost."""
    page.locator("main [name=csrf_token]").evaluate("field => { field.value = 'autre'; }")
    page.get_by_role("button", name="Changer mon mot de passe").click()


SIGNED_OUT = [
    Scene("sign-in", "", "/connexion"),
    Scene("sign-in-of-a-school", "", "/chatelet/"),
    Scene("sign-in-empty", "", "/connexion", 422, _press("Se connecter")),
    Scene("sign-in-refused", "", "/connexion", 422, _press("Se connecter", login="personne", password="non")),
    Scene("sign-in-expired", "", "/connexion", 200, _expired),
    Scene("activation", "", "/activation"),
    Scene("activation-empty", "", "/activation", 422, _press("Enregistrer et se connecter")),
    Scene(
        "activation-refused",
        "",
        "/activation",
        422,
        _press(
            "Enregistrer et se connecter",
            establishment="chatelet",
            login="chef",
            code="AAAA-BBBB-CCCC",
            password=PASSWORD,
            password_confirm=PASSWORD,
        ),
    ),
    Scene("forgotten", "", "/mot-de-passe-oublie"),
    Scene("forgotten-empty", "", "/mot-de-passe-oublie", 422, _press("Envoyer un code")),
    Scene("forgotten-sent", "", "/mot-de-passe-oublie", 200, _press("Envoyer un code", login="personne")),
    Scene("accessibility", "", "/mentions/accessibilite"),
    Scene("privacy", "", "/mentions/donnees-personnelles"),
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
    Scene("schools-sought", "support@", "/ecoles?recherche=love"),
    Scene("schools-none", "support@", "/ecoles?recherche=introuvable"),
    Scene("accessibility-signed-in", "chef@lovelace", "/mentions/accessibilite"),
    Scene("confirm-one-mask", "administrateur@lovelace", f"{MASKS}/reinitialiser?diplome=40025520&key=links"),
    Scene("confirm-all-masks", "administrateur@lovelace", f"{MASKS}/reinitialiser?diplome=40025520"),
    Scene("confirm-logo", "chef@lovelace", f"{PICTURES}/supprimer/logo"),
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
        _press("Valider", uai="0940321S", email="a@b", postal_code="9500A", name="x" * 300),
    ),
    Scene("particulars-conflict", "administrateur@lovelace", PARTICULARS, 409, _conflict),
    Scene("particulars-restored", "", "/connexion", 200, _restored),
    Scene(
        "particulars-saved",
        "administrateur@lovelace",
        PARTICULARS,
        200,
        _press("Valider", city="Sainte-Exemple-d’en-Haut"),
    ),
    Scene("transfers-refused", "chef@chatelet", TRANSFERS, 422, _press("Valider", cnil_reference="12345")),
    Scene(
        "masks-refused",
        "administrateur@chatelet",
        f"{MASKS}?diplome=40025520",
        422,
        _press("Valider", description="x" * 300),
    ),
    Scene(
        "masks-saved",
        "administrateur@chatelet",
        f"{MASKS}?diplome=CAP-ELEC",
        200,
        _press("Valider", description="Le chantier", links="Documents du constructeur"),
    ),
    Scene("picture-refused", "administrateur@chatelet", PICTURES, 422, _deposit("logo", b"<html>rien</html>" * 9)),
    Scene("picture-missing", "administrateur@chatelet", PICTURES, 422, _press("Télécharger un logo")),
    Scene("picture-saved", "administrateur@chatelet", PICTURES, 200, _deposit("cachet", png(90, 60))),
    Scene("password-refused", "administrateur@lovelace", "/mon-compte", 422, _press("Changer mon mot de passe")),
]

SCENES = [*SIGNED_OUT, *TABS, *OTHERS, *REFUSALS]
