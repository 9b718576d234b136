"""A passkey, from the page that adds it to the sign-in it opens: Chromium's virtual authenticator signs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import create_engine, text

from tests.browser.examination import look
from tests.browser.scenes import Scene
from tests.helpers.chromium import PASSWORD, Site
from tests.helpers.platform import Platform

WHO, LOGIN = "enseignante@lovelace", ("lovelace", "enseignante")
PAGE = "/mon-compte/second-facteur"


class NamedPlatform(Platform):
    """The platform under a name: no browser makes a passkey for an address of digits."""

    @property
    def url(self) -> str:
        """Return its address under its name."""
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def whole_site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Yield the local platform under a name."""
    platform = NamedPlatform(tmp_path_factory.mktemp("named"), {"CPRO_DEMO_PASSWORD": PASSWORD})
    platform.settings["CPRO_PUBLIC_URL"] = platform.url
    with platform:
        yield Site(platform, chromium)


def plug_in(page: Page) -> None:
    """Give the browser a security key that answers by itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        **{"protocol": "ctap2", "transport": "usb", "hasResidentKey": False},
        **{"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True},
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def set_up(page: Page) -> None:
    """Set up the codes that come before any key."""
    page.goto(PAGE)
    page.get_by_label("Votre mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Commencer").click()
    secret = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code à six chiffres").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Activer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes codes de secours")


def give_password(site: Site, page: Page) -> None:
    """Sign in as far as the page that asks for a code."""
    page.get_by_label("Établissement").fill(LOGIN[0])
    page.get_by_label("Identifiant").fill(LOGIN[1])
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("button", name="Utiliser une clé d’accès")).to_be_visible()


def wait_for_code(site: Site, page: Page) -> None:
    """Let a quarter of an hour go by, and ask for the page again."""
    engine = create_engine(site.platform.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE sign_in SET code_given_at = NULL"))
    engine.dispose()
    page.reload()


def test_a_key_is_added_and_opens_the_account(site: Site, screenshots: Path | None) -> None:
    page = site.visitor(WHO)
    set_up(page)
    plug_in(page)
    page.goto(f"{PAGE}/cles")
    page.get_by_label("Nom de la clé").fill("Clé du trousseau")
    page.get_by_role("button", name="Ajouter une clé").click()
    expect(page.get_by_role("row", name="Clé du trousseau")).to_contain_text("jamais")

    page.context.clear_cookies()
    page.goto("/connexion")
    give_password(site, page)
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    page.wait_for_url(lambda address: "/connexion" not in address)

    page.goto(f"{PAGE}/cles")
    expect(page.get_by_role("row", name="Clé du trousseau")).not_to_contain_text("jamais")

    for scene in (
        Scene("passkeys", WHO, f"{PAGE}/cles"),
        Scene("sign-in-code", "", "/connexion", 200, give_password),
        Scene("code-again", WHO, f"{PAGE}/cles", 200, wait_for_code),
    ):
        seen = look(scene, site, screenshots)
        assert (seen.axe, seen.overflow, seen.complaints) == ({1280: [], 360: []}, {}, []), scene.name
    assert "Votre code, à nouveau" in seen.title
