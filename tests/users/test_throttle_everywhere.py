"""Every place that compares somebody's password or code counts on the one throttle first."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from cpro.core.web.forms import PasswordForm
from cpro.users.operations import throttle
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written

ROOT = Path(__file__).resolve().parents[2]

#: What tells whether a password or a code is right.
COMPARISONS = {
    *("verify_password", "find_code", "compare_digest", "verify", "use_code"),
    "verify_authentication_response",
}
#: The functions that compare, and what counts the attempt before them.
COMPARED = {
    "cpro.users.authentication.sign_in": "_reserve",
    "cpro.users.authentication._read_as_code": "sign_in",
    "cpro.users.authentication.activate": "_reserve",
    "cpro.users.identity.check_password": "reserve_attempt",
    # A code and a passkey, whose only caller it is.
    "cpro.users.second_factor.is_right": "_compare",
    # A machine's token, long and drawn at random: nobody's password.
    "cpro.site.pages.metrics": "",
    # What they compare with.
    "cpro.users.operations.second_factor._is_code_of": "",
    "cpro.users.passkeys.operations._verify": "",
    "cpro.core.passwords.verify_password": "",
}
#: The functions of pages that make a form comparing the password of the person signed in, or have it compare, and the
#: address of each.
ASKED_AGAIN = {
    "cpro.users.web.views.users.own_account": "/mon-compte",
    "cpro.users.web.views.addresses.own": "/mon-compte/adresse",
    "cpro.users.web.views.addresses.confirm_school": "/admin/parametres/etablissement/confirmer-adresse",
    "cpro.users.web.views.second_factor.begin": "/mon-compte/second-facteur/commencer",
    "cpro.users.web.views.second_factor.renew_codes": "/mon-compte/second-facteur/codes",
    "cpro.users.web.views.second_factor.remove": "/mon-compte/second-facteur/retirer",
    "cpro.users.web.views.second_factor._page": "/mon-compte/second-facteur",
    "cpro.establishments.web.screens.before_update": "/admin/etablissements/edit/",
    "cpro.settings.views.establishment.before_save": "/admin/parametres/etablissement",
    "cpro.settings.views.history.restore": "/admin/parametres/historique/<int:entry_id>/retablir",
    "cpro.settings.views.history._confirmation": "/admin/parametres/historique/<int:entry_id>/retablir",
    "cpro.settings.views.history._refused": "/admin/parametres/historique/<int:entry_id>/retablir",
    "cpro.people.screens.reset_view": "/admin/utilisateurs/reinitialiser/",
    "cpro.people.screens.second_factor_view": "/admin/utilisateurs/second-facteur/",
    "cpro.people.views.emergency.ask_to_reopen": "/admin/urgence/rouvrir",
    "cpro.people.views.emergency.reopen": "/admin/urgence/rouvrir",
    "cpro.people.views.credential_sheets.create": "/admin/utilisateurs/fiches",
    "cpro.people.views.account_links._password_form": "/admin/utilisateurs/<int:account_id>/relier",
    "cpro.people.views.duplicates.merge": "/admin/eleves/<int:student_id>/doublon/<int:other_id>",
}
#: The operations that refuse to act without it, whatever a page did, and the functions above that ask for each.
REFUSED_WITHOUT = {
    "cpro.users.operations.addresses.change_own_address": ["cpro.users.web.views.addresses.own"],
    "cpro.users.operations.addresses.confirm_school_address": ["cpro.users.web.views.addresses.confirm_school"],
    "cpro.users.operations.second_factor.begin": ["cpro.users.web.views.second_factor.begin"],
    "cpro.users.operations.second_factor.renew_codes": ["cpro.users.web.views.second_factor.renew_codes"],
    "cpro.users.operations.second_factor.remove": ["cpro.users.web.views.second_factor.remove"],
    "cpro.users.operations.access.reset_account": ["cpro.people.screens.reset_view"],
    "cpro.users.operations.access.reset_second_factor": ["cpro.people.screens.second_factor_view"],
    "cpro.users.operations.credential_sheets.check_agreed": ["cpro.people.views.credential_sheets.create"],
    "cpro.users.emergency.operations.reopen_roles": ["cpro.people.views.emergency.reopen"],
    "cpro.establishments.operations.particulars.update_particulars": [
        "cpro.establishments.web.screens.before_update",
        "cpro.settings.views.establishment.before_save",
        "cpro.settings.views.history.restore",
    ],
    "cpro.students.accounts.links.link_account": ["cpro.people.views.account_links._password_form"],
    "cpro.students.accounts.links.unlink_account": ["cpro.people.views.account_links._password_form"],
    "cpro.people.duplicates.merge": ["cpro.people.views.duplicates.merge"],
}
#: Functions above that only show the form.
SHOWN = {
    "cpro.users.web.views.second_factor._page",
    "cpro.settings.views.history._confirmation",
    "cpro.settings.views.history._refused",
    "cpro.people.views.emergency.ask_to_reopen",
}
#: What is changed there is the password itself: the operation compares the hash that the page compared.
OWN_PASSWORD = "cpro.users.web.views.users.own_account"
NEW = {"password": "Grès-vif-42-marne!", "password_confirm": "Grès-vif-42-marne!"}
WRONG = "Faux-faux-faux-42!"


def list_callers(names: set[str]) -> set[str]:
    """Return the functions of the product that call one of these names."""
    return {function for function, called in read_calls().items() if names & called}


@cache
def read_calls() -> dict[str, set[str]]:
    """Return the names that each function of the product calls."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "cpro").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                found.setdefault(f"{module}.{function.name}", set()).update(_called(function))
    return found


def _called(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            # `OwnEmailForm.sent(…)` makes a form as `OwnEmailForm()` does.
            yield getattr(called.value, "id", name) if name in ("sent", "opened") else name


@pytest.mark.integration
@pytest.mark.any_database
def test_throttle_everywhere_nothing_else_compares_a_password_or_a_code() -> None:
    assert list_callers(COMPARISONS) == set(COMPARED)


@pytest.mark.integration
@pytest.mark.any_database
def test_throttle_everywhere_what_compares_counts_first() -> None:
    counting = list_callers({"reserve_attempt"})

    for function, counter in COMPARED.items():
        module = function.rpartition(".")[0]
        if counter == "reserve_attempt":
            assert function in counting
        elif counter == "_reserve":
            assert f"{module}._reserve" in counting
            assert function in list_callers({"_reserve"})
        elif counter == "_compare":
            assert f"{module}._compare" in counting
            assert list_callers({"is_right"}) == {f"{module}._compare"}


def test_throttle_everywhere_the_pages_that_ask_again_are_listed(app: Flask) -> None:
    assert list_callers({"check_password", "check_own_password"}) == {
        "cpro.users.operations.sign_ins.choose_password",  # the strength of a new one
        "cpro.users.web.views.users.check_own_password",
        "cpro.core.web.forms.compare_password",
    }
    comparing = {PasswordForm.__name__, *(each.__name__ for each in PasswordForm.__subclasses__()), "compare_password"}
    assert list_callers(comparing) - {"cpro.core.web.forms.validate"} == set(ASKED_AGAIN)
    assert set(ASKED_AGAIN.values()) <= {rule.rule for rule in app.url_map.iter_rules()}


@pytest.mark.integration
@pytest.mark.any_database
def test_throttle_everywhere_what_a_page_asks_the_password_for_its_operation_refuses_without() -> None:
    assert list_callers({"check_password_given"}) == set(REFUSED_WITHOUT)
    assert {page for pages in REFUSED_WITHOUT.values() for page in pages} | SHOWN | {OWN_PASSWORD} == set(ASKED_AGAIN)


@pytest.mark.parametrize(
    ("role", "address", "fields"),
    [
        ("teacher", "/mon-compte", NEW),
        ("inspector", "/mon-compte", NEW),
        ("teacher", "/mon-compte/adresse", {"email": "autre@alpha.example"}),
        ("head", "/admin/parametres/etablissement/confirmer-adresse", {"email": "x@y.example"}),
    ],
)
def test_throttle_everywhere_slows_down_who_borrowed_a_browser(
    app: Flask, as_: Callable[..., Browser], role: str, address: str, fields: dict[str, str]
) -> None:
    browser = as_(role)
    for _ in range(throttle.ACCOUNT_FREE + 1):
        assert browser.post(address, {**fields, "current_password": WRONG}).status_code == 422

    with nothing_written(app):
        answer = browser.post(address, {**fields, "current_password": PASSWORD})

    assert answer.status_code == 429


def test_throttle_everywhere_one_count_holds_over_pages(as_: Callable[..., Browser], world: World) -> None:
    first, second = as_("teacher"), as_("teacher")
    for _ in range(3):
        first.post("/mon-compte", {**NEW, "current_password": WRONG})
        second.post("/mon-compte/adresse", {"email": "", "current_password": WRONG})

    assert first.post("/mon-compte", {**NEW, "current_password": PASSWORD}).status_code == 429
