"""Signing in: who gets in, and what the others learn, which is nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from cpro.core.passwords import VERIFYING
from cpro.users.sign_in_models import FailureCounter, SignIn
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.users.conftest import Desk, shown

REFUSED = "Connexion refusée"
DISABLED = "Ce compte est désactivé"

#: What is typed when one of the three is wrong.
WRONG = {
    "unknown school": ("nulle-part", "alix.granite", PASSWORD),
    "unknown login": ("alpha", "personne.inconnue", PASSWORD),
    "wrong password": ("alpha", "alix.granite", "Pas-le-bon-42!"),
    "password in another case": ("alpha", "alix.granite", PASSWORD.upper()),
    "school's account without its school": ("", "alix.granite", PASSWORD),
    "platform account under a school": ("alpha", "support@cpro.example", PASSWORD),
    "unknown platform account": ("", "personne@cpro.example", PASSWORD),
    "login of wildcards": ("alpha", "alix%", PASSWORD),
    "school and login of quotes": ("' OR 1=1 --", "' OR 1=1 --", PASSWORD),
}


@pytest.fixture
def hashes_computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Watch the real password hasher at work."""
    computed: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, stored: str, password: bytes) -> bool:
        computed.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    return computed


@pytest.mark.parametrize(
    ("school", "login"),
    [
        ("\u200balpha", "alix.granite\u2060"),
        (" ALPHA\ufeff", "\u00adAlix.Granite "),
        ("alpha\u200e", "alix\u200b.granite"),
    ],
)
def test_sign_in_takes_no_account_of_invisible_signs(
    world: World, browser: Callable[[], Browser], school: str, login: str
) -> None:
    assert browser().sign_in(school, login, PASSWORD).status_code == 303


class TestSignInCrowded:
    def test_sign_in_crowded_counts_nothing_and_keeps_what_was_typed(
        self, world: World, browser: Callable[[], Browser], desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VERIFYING, "_patience", 0.001)
        person = browser()
        with VERIFYING.take(), VERIFYING.take():
            refused = person.sign_in("alpha", "alix.granite", PASSWORD)

        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "5"
        assert "réessayez dans un instant" in shown(refused)
        assert 'value="alpha"' in refused.text and 'value="alix.granite"' in refused.text
        assert desk.rows(FailureCounter) == []
        assert person.sign_in("alpha", "alix.granite", PASSWORD).status_code == 303


class TestSignInRefused:
    @pytest.mark.parametrize("case", WRONG)
    def test_sign_in_says_the_same_sentence_whatever_is_wrong(
        self, world: World, browser: Callable[[], Browser], case: str
    ) -> None:
        usual = browser().sign_in("alpha", "alix.granite", "faux")

        answer = browser().sign_in(*WRONG[case])

        assert answer.status_code == usual.status_code == 422
        assert REFUSED in answer.text
        assert shown(answer) == shown(usual)

    @pytest.mark.parametrize("state", [{"is_active": False}, {"password_hash": None}])
    def test_sign_in_says_nothing_of_the_state_of_the_account(
        self, world: World, browser: Callable[[], Browser], desk: Desk, state: dict[str, object]
    ) -> None:
        usual = browser().sign_in("alpha", "personne.inconnue", "faux")
        desk.change("teacher", **state)

        answer = browser().sign_in("alpha", "ines.quartz", "faux")

        assert (answer.status_code, shown(answer)) == (usual.status_code, shown(usual))

    @pytest.mark.parametrize("case", WRONG)
    def test_sign_in_takes_one_hash_whatever_is_wrong(
        self, world: World, browser: Callable[[], Browser], hashes_computed: list[str], case: str
    ) -> None:
        browser().sign_in(*WRONG[case])

        assert len(hashes_computed) == 1

    def test_sign_in_takes_one_hash_for_an_account_without_password(
        self, world: World, browser: Callable[[], Browser], desk: Desk, hashes_computed: list[str]
    ) -> None:
        desk.change("teacher", password_hash=None)

        answer = browser().sign_in("alpha", "ines.quartz", PASSWORD)

        assert answer.status_code == 422
        assert len(hashes_computed) == 1

    def test_sign_in_takes_one_hash_of_a_password_longer_than_any(
        self, world: World, browser: Callable[[], Browser], hashes_computed: list[str]
    ) -> None:
        answer = browser().sign_in("alpha", "alix.granite", "x" * 200)

        assert answer.status_code == 422
        assert len(hashes_computed) == 1

    @pytest.mark.parametrize("blank", ["login", "password"])
    def test_sign_in_names_the_field_left_blank_and_counts_nothing(
        self, world: World, browser: Callable[[], Browser], desk: Desk, blank: str
    ) -> None:
        typed = {"login": "alix.granite", "password": PASSWORD, blank: ""}

        answer = browser().sign_in("alpha", typed["login"], typed["password"])

        assert answer.status_code == 422
        assert REFUSED not in answer.text
        assert f'id="{blank}-erreur"' in answer.text
        assert desk.rows(FailureCounter) == []

    @pytest.mark.parametrize("field", ["establishment", "login", "password"])
    @pytest.mark.parametrize("typed", ["a\x00b", "x" * 10_000, "\U0001f600\u202e" * 200])
    def test_sign_in_odd_input_is_refused_without_a_crash(
        self, world: World, browser: Callable[[], Browser], field: str, typed: str
    ) -> None:
        fields = {"establishment": "alpha", "login": "alix.granite", "password": PASSWORD, field: typed}

        answer = browser().sign_in(*fields.values())

        assert answer.status_code == 422

    def test_sign_in_never_sends_the_password_back(self, world: World, browser: Callable[[], Browser]) -> None:
        answer = browser().sign_in("alpha", "alix.granite", "Mot-de-passe-tapé")

        assert "Mot-de-passe-tapé" not in answer.text
        assert 'value="alix.granite"' in answer.text

    def test_sign_in_says_that_an_account_is_disabled_only_after_its_password(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        desk.change("administrator", is_active=False)

        guessed = browser().sign_in("alpha", "alix.granite", "faux")
        known = browser().sign_in("alpha", "alix.granite", PASSWORD)

        assert DISABLED not in guessed.text
        assert known.status_code == 403
        assert DISABLED in known.text
        assert desk.rows(SignIn) == []


class TestSignIn:
    @pytest.mark.parametrize("school", ["alpha", "ALPHA", " Alpha ", "0999001W", "0999001w"])
    def test_sign_in_takes_the_code_or_the_uai_in_any_case(
        self, world: World, browser: Callable[[], Browser], school: str
    ) -> None:
        answer = browser().sign_in(school, " Alix.Granite ", PASSWORD)

        assert (answer.status_code, answer.location) == (303, "/")

    def test_sign_in_takes_platform_accounts_with_a_blank_school(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        assert browser().sign_in("", "Support@CPRO.example", PASSWORD).status_code == 303
        assert browser().sign_in("  ", "inspecteur@cpro.example", PASSWORD).status_code == 303

    def test_sign_in_one_login_in_two_schools_opens_the_school_that_was_named(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        in_b = browser()
        in_b.sign_in("beta", "alix.granite", PASSWORD)

        page = in_b.get("/admin/parametres/etablissement").text

        assert "Lycée beta" in page
        assert "alpha" not in page

    def test_sign_in_leaves_a_line_in_the_journal_of_the_school(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        from cpro.audit.models import AuditEntry

        browser().sign_in("beta", "claude.basalte", PASSWORD)

        [line] = desk.rows(AuditEntry)
        assert (line.action, line.establishment_id, line.actor_label) == (
            "account:signed-in",
            world.b.id,
            "Claude BASALTE",
        )
        assert line.actor_id == world.b.account_ids["head"]

    @pytest.mark.usefixtures("real_hashes")
    def test_sign_in_renews_a_hash_made_with_other_parameters(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
        desk.change("teacher", password_hash=weaker)

        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 303

        renewed = desk.account("teacher").password_hash
        assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 303
        assert desk.account("teacher").password_hash == renewed

    def test_sign_in_a_wrong_password_renews_nothing(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
        desk.change("teacher", password_hash=weaker)

        browser().sign_in("alpha", "ines.quartz", "faux")

        assert desk.account("teacher").password_hash == weaker

    def test_sign_in_signed_in_already_leads_home(self, as_: Callable[..., Browser]) -> None:
        answer = as_("head").get("/connexion")

        assert (answer.status_code, answer.location) == (303, "/")


class TestSignInLeads:
    def test_sign_in_leads_back_to_the_page_that_was_asked_for(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        visitor = browser()
        asked = visitor.get("/admin/parametres/masques?diplome=40025520")
        visitor.get(asked.location)

        answer = visitor.post(asked.location, {"establishment": "alpha", "login": "alix.granite", "password": PASSWORD})

        assert asked.location.startswith("/connexion?suite=")
        assert (answer.status_code, answer.location) == (303, "/admin/parametres/masques?diplome=40025520")

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "//evil.example",
            "///evil.example",
            "https://evil.example",
            "https:evil.example",
            "http:/evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            "/\r\nLocation: https://evil.example",
            " //evil.example",
            "/%5Cevil.example\\",
            "/\x7f/evil.example",
            "",
        ],
    )
    def test_sign_in_leads_never_to_another_site(
        self, world: World, browser: Callable[[], Browser], elsewhere: str
    ) -> None:
        visitor = browser()
        visitor.get("/connexion")

        answer = visitor.post(
            "/connexion",
            {"establishment": "alpha", "login": "alix.granite", "password": PASSWORD},
            query_string={"suite": elsewhere},
        )

        assert (answer.status_code, answer.location) == (303, "/")

    @pytest.mark.parametrize("name", ["alpha", "0999001W", "0999001w", "ALPHA"])
    def test_school_door_fills_the_school_in(self, world: World, browser: Callable[[], Browser], name: str) -> None:
        visitor = browser()

        answer = visitor.get(f"/{name}/")

        assert (answer.status_code, answer.location) == (303, "/connexion?establishment=alpha")
        assert visitor.form(answer.location)["establishment"] == "alpha"

    def test_school_door_of_no_school_is_not_found(self, world: World, browser: Callable[[], Browser]) -> None:
        answers = {path: browser().get(f"/{path}/") for path in ("nulle-part", "0571234Z", "page.php", "é", "x" * 40)}

        assert {answer.status_code for answer in answers.values()} == {404}
        speaks = {path for path, answer in answers.items() if "établissement" in text_of(Page(answer).main)}
        assert speaks == {"nulle-part", "0571234Z"}
        assert "Cette adresse ne correspond à aucune page." in Page(answers["nulle-part"]).text
        assert "Cette adresse ne correspond à rien" in Page(answers["page.php"]).text


class TestCodeTypedAsPassword:
    def test_sign_in_with_a_code_leads_to_the_activation_form_filled_in(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        code, visitor = desk.create_code("teacher"), browser()

        answer = visitor.sign_in("0999001w", "ines.quartz", code.lower().replace("-", " "))

        assert answer.status_code == 200
        assert 'action="/activation"' in answer.text
        assert code.lower().replace("-", " ") in answer.text
        assert visitor.get("/mon-compte").status_code == 303, "a code alone signs nobody in"

    def test_sign_in_with_a_code_costs_no_failure(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        code = desk.create_code("teacher")

        for _ in range(6):
            assert browser().sign_in("alpha", "ines.quartz", code).status_code == 200

    def test_sign_in_with_a_code_of_another_account_is_a_wrong_password(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        code = desk.create_code("teacher", "b")

        answer = browser().sign_in("alpha", "ines.quartz", code)

        assert answer.status_code == 422
        assert REFUSED in answer.text


class TestLog:
    def test_log_single_failures_are_told_without_what_was_typed(
        self, world: World, browser: Callable[[], Browser], caplog: pytest.LogCaptureFixture
    ) -> None:
        account = world.a.account_ids["administrator"]

        browser().sign_in("alpha", "alix.granite", "Faux-faux-faux-42!")
        browser().sign_in("alpha", "personne.inconnue", "Faux-faux-faux-42!")

        told = [record.getMessage() for record in caplog.records if record.name == "cpro.users.authentication"]
        assert told == [f"sign-in refused: account:{account}", "sign-in refused: no such account"]

    def test_log_a_wrong_password_asked_again_is_told(
        self, world: World, as_: Callable[..., Browser], caplog: pytest.LogCaptureFixture
    ) -> None:
        as_("teacher").post("/mon-compte/adresse", {"email": "", "current_password": "Faux-faux-faux-42!"})

        assert f"password asked again and refused: account:{world.a.account_ids['teacher']}" in caplog.messages

    def test_log_a_refused_page_is_told(
        self, world: World, as_: Callable[..., Browser], caplog: pytest.LogCaptureFixture
    ) -> None:
        as_("teacher").get("/admin/parametres/etablissement?x=secret")

        account = world.a.account_ids["teacher"]
        assert f"403 to account:{account}: GET /admin/parametres/etablissement" in caplog.messages
