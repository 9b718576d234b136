"""The school's code that a browser keeps for the sign-in page, and forgets when asked."""

from __future__ import annotations

from collections.abc import Callable

from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser


class TestRememberSchool:
    TYPED = {"establishment": "alpha", "login": "alix.granite", "password": PASSWORD}

    def test_remember_school_fills_the_page_until_it_is_unticked(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        visitor = browser()
        assert browser_field(visitor) == ""

        visitor.get("/connexion")
        visitor.post("/connexion", {**self.TYPED, "remember_school": "y"})
        visitor.get("/mon-compte")
        visitor.post("/deconnexion")
        assert browser_field(visitor) == "alpha"

        visitor.post("/connexion", self.TYPED)
        visitor.get("/mon-compte")
        visitor.post("/deconnexion")
        assert browser_field(visitor) == ""

    def test_remember_school_keeps_nothing_of_a_person_and_nothing_of_a_refusal(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        visitor = browser()
        visitor.get("/connexion")
        refused = visitor.post("/connexion", {**self.TYPED, "password": "Pas-le-bon-42!", "remember_school": "y"})
        let_in = visitor.post("/connexion", {**self.TYPED, "remember_school": "y"})

        assert not [each for each in refused.headers.getlist("Set-Cookie") if "cpro_school" in each]
        (kept,) = [each for each in let_in.headers.getlist("Set-Cookie") if "cpro_school" in each]
        assert kept.startswith("cpro_school=alpha;")
        assert "HttpOnly" in kept and "SameSite=Lax" in kept
        assert "granite" not in kept

    def test_remember_school_the_school_of_the_address_comes_first(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        visitor = browser()
        visitor.get("/connexion")
        visitor.post("/connexion", {**self.TYPED, "remember_school": "y"})
        visitor.get("/mon-compte")
        visitor.post("/deconnexion")

        for page in ("/connexion", "/activation", "/mot-de-passe-oublie"):
            assert visitor.form(page)["establishment"] == "alpha"
            assert visitor.form(f"{page}?establishment=beta")["establishment"] == "beta"
        # The link of an inspector's invitation: their account is of no school.
        assert visitor.form("/activation?login=ines@inspection.example")["establishment"] == ""


def browser_field(visitor: Browser) -> str:
    """Return the school that the sign-in page proposes."""
    return visitor.form("/connexion")["establishment"]
