"""Two at once: one effect, one clear answer to the other, nothing lost, no deadlock."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor


def test_two_at_once(platform: Live) -> None:
    administrator, head = steps.open_school(platform)
    _administrator_and_head_on_one_form(administrator, head)
    _both_on_the_same_field(administrator, head)
    _one_code_used_twice(platform, administrator)
    _two_windows_on_one_user(platform, administrator)
    _two_transfer_runs(platform, administrator, head)
    _one_button_pressed_twice(platform, administrator)
    _two_imports(platform, administrator)
    _one_undo_posted_twice(platform, administrator)


def at_once(*actions: Callable[[], object]) -> None:
    """Do things at the same instant, each in a thread; raise what any of them raised."""
    with ThreadPoolExecutor(len(actions)) as pool:
        for done in [pool.submit(action) for action in actions]:
            done.result(timeout=180)


def twin(visitor: Visitor) -> Visitor:
    """Return a second window of the same browser, on the same page."""
    other = copy.copy(visitor)
    other.name = f"{visitor.name}, second window"
    return other


def _administrator_and_head_on_one_form(administrator: Visitor, head: Visitor) -> None:
    for each in (administrator, head):
        each.menu("Paramètres")
    head.press("Valider", academy="Versailles")
    administrator.press("Valider", phone="0102030405")
    administrator.menu("Paramètres")
    assert (administrator.field("academy"), administrator.field("phone")) == ("Versailles", "01 02 03 04 05")


def _both_on_the_same_field(administrator: Visitor, head: Visitor) -> None:
    for each in (administrator, head):
        each.menu("Paramètres")
    head.press("Valider", city="Cergy", website="https://lycee.example")
    administrator.press("Valider", city="Pontoise")
    assert administrator.status == 409
    administrator.sees("Cergy", "Pontoise", "Paul PROVISEUR-FICTIF")
    administrator.does_not_see("Votre saisie : https://lycee.example")
    administrator.menu("Paramètres")
    assert administrator.field("website") == "https://lycee.example"
    assert administrator.field("city") in ("Cergy", "Pontoise")


def _one_code_used_twice(platform: Live, administrator: Visitor) -> None:
    code = steps.give_code(administrator, "BOBINE-TEST")
    windows = [platform.visitor(f"window {number}") for number in range(2)]
    for each in windows:
        each.open_site()
        each.follow("J’ai reçu un code d’activation")

    def use(visitor: Visitor) -> None:
        visitor.press(
            "Enregistrer et se connecter",
            establishment="curie",
            login="anne-maiwenn.bobine-test",
            code=code,
            password=steps.PASSWORD,
            password_confirm=steps.PASSWORD,
        )

    at_once(*(lambda each=each: use(each) for each in windows))
    assert sorted(each.status for each in windows) == [200, 422]
    loser = next(each for each in windows if each.status == 422)
    loser.sees("Rien n’a été enregistré")
    assert platform.journal("curie").count("account:password:changed") == 3  # administrator, head, teacher


def _two_windows_on_one_user(platform: Live, administrator: Visitor) -> None:
    """Two windows save two fields of one user at once: what both typed is kept.

    The second is asked again where the first saved while it was judged (409), and only told where it had saved before.
    """
    administrator.menu("Gérer les profils utilisateurs")
    administrator.press("Filtrer", recherche="BOBINE-TEST")
    administrator.follow("BOBINE-TEST")
    administrator.follow("Corriger")
    other = twin(administrator)
    at_once(
        lambda: administrator.press("Valider", discipline="Génie électrique"),
        lambda: other.press("Valider", civility="M."),
    )
    windows = (administrator, other)
    assert sorted(each.status for each in windows) in ([200, 200], [200, 409])
    for each in windows:
        if each.status == 409:
            each.press("Valider")  # the page says what the other saved
    found = platform.rows("SELECT discipline, civility FROM account WHERE login = 'anne-maiwenn.bobine-test'")
    assert found == [("Génie électrique", "M.")]


def _two_transfer_runs(platform: Live, administrator: Visitor, head: Visitor) -> None:
    """« Essayer maintenant » pressed by two at once: each reads how it went, and nothing is copied twice."""
    for each in (administrator, head):
        each.menu("Transferts")
    at_once(*(lambda each=each: each.press("Essayer maintenant") for each in (administrator, head)))
    assert {administrator.status, head.status} == {200}
    for each in (administrator, head):
        platform.wait_on_page(each, "transfert")
    platform.wait_until(
        lambda: set(platform.rows("SELECT DISTINCT state_value FROM job WHERE kind = 'transfers:run'")) == {("done",)},
        "no run that waits, and none that failed",
    )


def _one_button_pressed_twice(platform: Live, administrator: Visitor) -> None:
    administrator.menu("Élèves")
    administrator.follow("Ouvrir les comptes de tous")
    other = twin(administrator)
    at_once(*(lambda each=each: each.press("Ouvrir 11 comptes") for each in (administrator, other)))
    assert {administrator.status, other.status} <= {200, 409, 422}
    assert platform.rows("SELECT count(*) FROM account WHERE role = 'student'") == [(11,)]
    assert platform.rows("SELECT count(*) FROM student WHERE account_id IS NOT NULL") == [(11,)]


def _two_imports(platform: Live, administrator: Visitor) -> None:
    """The second deposit replaces the analysis that waits; the page of the first says so and applies nothing."""
    steps.deposit(administrator, steps.samples()[:1])
    first = twin(administrator)
    steps.deposit(administrator, steps.samples()[:1])
    if first.offers("Appliquer l’import"):
        first.press("Appliquer l’import")
    assert first.status in (200, 409, 404)
    first.sees("remplacé")
    steps.apply_import(platform, administrator)


def _one_undo_posted_twice(platform: Live, administrator: Visitor) -> None:
    administrator.follow("Annuler cet import")
    other = twin(administrator)
    at_once(*(lambda each=each: each.press("Annuler cet import") for each in (administrator, other)))
    assert {administrator.status, other.status} <= {200, 409}
    platform.wait_until(lambda: platform.journal("curie").count("import:siecle:undone") == 1, "the import undone, once")
