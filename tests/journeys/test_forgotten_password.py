"""A pupil forgets their password: no address to write to, a new code from the administrator, every old way closed."""

from __future__ import annotations

from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

LOGIN, NAME = "alix.testeur", "TESTEUR"
NEW_PASSWORD = "Mica-et-tourmaline-9"


def test_forgotten_password(platform: Live) -> None:
    administrator, _head = steps.open_school(platform)
    at_school = _pupil_activates(platform, administrator)
    at_home = steps.sign_in(platform, "pupil at home", school="curie", login=LOGIN)
    sent = len(platform.mails())

    pupil = platform.visitor("pupil who forgot")
    _asks_for_a_code(pupil)
    assert len(platform.mails()) == sent, "nobody has an address to receive it"
    for each in (at_school, at_home):
        _is_still_in(each)

    code = steps.give_code(administrator, NAME)
    for each in (at_school, at_home):
        _is_out(each)
    _old_password_is_refused(platform)

    _chooses_another(pupil, code)
    _code_serves_once(platform, code)
    _old_password_is_refused(platform)
    again = steps.sign_in(platform, "pupil the next day", school="curie", login=LOGIN, password=NEW_PASSWORD)
    again.sees("Alix TESTEUR")
    actions = platform.journal("curie")
    assert actions.index("account:reset") < len(actions) - 1 - actions[::-1].index("account:password:changed")


def _pupil_activates(platform: Live, administrator: Visitor) -> Visitor:
    administrator.menu("Élèves")
    administrator.follow("Ouvrir les comptes de tous")
    administrator.press("Ouvrir 11 comptes")
    sheet = steps.create_sheets(administrator, pour="division", division="2MELEC1")[LOGIN]
    return steps.activate(platform, "pupil at school", school=sheet["Établissement"], login=LOGIN, code=sheet["Code"])


def _asks_for_a_code(pupil: Visitor) -> None:
    """The page says whom to ask, in words that do not tell whether the account exists or has an address."""
    pupil.sign_in("curie", LOGIN, "Je-ne-sais-plus-1")
    assert pupil.status == 422
    pupil.follow("Mot de passe oublié")
    pupil.sees("s’il en a une", "demandent un nouveau code à l’administrateur de leur établissement")
    pupil.press("Envoyer un code", establishment="curie", login=LOGIN)
    pupil.sees("Si ce compte existe et a une adresse électronique", "Sinon, demandez à votre administrateur")


def _is_still_in(visitor: Visitor) -> None:
    """Asking for a code changes nothing: anybody may ask for anybody's."""
    visitor.reload()
    visitor.sees("Alix TESTEUR")


def _is_out(visitor: Visitor) -> None:
    visitor.reload()
    assert visitor.path == "/connexion", visitor.text
    visitor.does_not_see("TESTEUR")


def _old_password_is_refused(platform: Live) -> None:
    intruder = platform.visitor("whoever knew the old password")
    intruder.sign_in("curie", LOGIN, steps.PASSWORD)
    assert intruder.status == 422
    intruder.does_not_see("TESTEUR")


def _chooses_another(pupil: Visitor, code: str) -> None:
    """From the page where they asked, which leads to where a code is typed and remembers who they are."""
    pupil.follow("J’ai reçu le code")
    assert (pupil.field("establishment"), pupil.field("login")) == ("curie", LOGIN)
    pupil.press("Enregistrer et se connecter", code=code, password=NEW_PASSWORD, password_confirm=NEW_PASSWORD)
    pupil.sees("Votre mot de passe est enregistré", "Alix TESTEUR")


def _code_serves_once(platform: Live, code: str) -> None:
    finder = platform.visitor("whoever finds the paper")
    finder.open_site()
    finder.follow("J’ai reçu un code d’activation")
    finder.press(
        "Enregistrer et se connecter",
        establishment="curie",
        login=LOGIN,
        code=code,
        password=steps.PASSWORD,
        password_confirm=steps.PASSWORD,
    )
    assert finder.status == 422
    finder.sees("Rien n’a été enregistré")
