"""Two people on one form: what each changed is kept, and only what both changed is asked.

Scenarios and records are in their own folders, beside what makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.concurrency import StaleForm, Verdict, check_fresh, compare, fingerprint
from cpro.establishments.models import Establishment
from cpro.masks.models import Mask
from cpro.students.models import Division
from tests.factories import World, make_diploma, make_mandate, make_mef
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import school_row
from tests.helpers.two_people import Shared, check_forged_versions_refused, play

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]

SETTINGS = "/admin/parametres"
PARTICULARS, TRANSFERS = f"{SETTINGS}/etablissement", f"{SETTINGS}/transferts"

#: the form, who saves first and who saves second
FORMS = {
    "particulars": ("administrator", "head"),
    "establishment screen": ("administrator", "head"),
    "transfers": ("administrator", "head"),
    "masks": ("administrator", "administrator"),
    "mask screen": ("administrator", "administrator"),
    "retention": ("head", "head"),
    "users": ("administrator", "administrator"),
    "students": ("administrator", "administrator"),
    "divisions": ("administrator", "administrator"),
    "diplomas": ("administrator", "administrator"),
    "MEFs": ("administrator", "administrator"),
    "mandates": ("head", "head"),
}
TEXTS = ("Premier", "Deuxième", "Troisième")


@pytest.fixture
def shared_forms(world: World, arrange: Arrange) -> dict[str, Shared]:
    """Return every form of the school that two people may have open; the school keeps its pupils by hand."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
        own, mef = make_diploma(code="MAISON", establishment_id=world.a.id), make_mef(world.a.id, label="Formation")
        session.add_all([own, mef])
        session.add(mandate := make_mandate(world, starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 31)))
        session.flush()
        division = session.scalars(select(Division).where(Division.establishment_id == world.a.id)).first()
        if division is None:
            division = Division(establishment_id=world.a.id, code="2X", label="Seconde")
            session.add(division)
        mask = session.scalars(select(Mask).where(Mask.establishment_id == world.a.id)).first()
        session.flush()
        assert mask is not None
        ids = {"diplomes": own.id, "formations": mef.id, "divisions": division.id, "masques": mask.id}
        mandate_id = mandate.id
    return {
        "particulars": Shared(PARTICULARS, "academy", TEXTS, ("city", "Metz")),
        "establishment screen": Shared(
            f"/admin/etablissements/edit/?id={world.a.id}", "academy", TEXTS, ("city", "Metz")
        ),
        "transfers": Shared(TRANSFERS, "cnil_reference", ("1679866", "1234567", "7654321"), ("uses_siecle", "oui")),
        "masks": Shared(f"{SETTINGS}/masques?diplome={world.diploma_code}", "links", TEXTS, ("equipment", "Outils")),
        "mask screen": Shared(f"/admin/masques/edit/?id={ids['masques']}", "wording", TEXTS),
        "retention": Shared(f"{SETTINGS}/conservation", "retention_years", ("2", "1", "3")),
        "users": Shared(
            f"/admin/utilisateurs/edit/?id={world.a.account_ids['teacher']}", "discipline", TEXTS, ("first_name", "Zoé")
        ),
        "students": Shared(f"/admin/eleves/edit/?id={world.a.student_id}", "last_name", TEXTS, ("first_name", "Anaïs")),
        "divisions": Shared(f"/admin/divisions/edit/?id={ids['divisions']}", "label", TEXTS, ("code", "2NEUVE")),
        "diplomas": Shared(f"/admin/diplomes/edit/?id={ids['diplomes']}", "label", TEXTS, ("short_label", "Court")),
        "MEFs": Shared(f"/admin/mefs/edit/?id={ids['formations']}", "label", TEXTS, ("diploma", "MAISON")),
        "mandates": Shared(
            f"{SETTINGS}/inspecteurs/{mandate_id}/prolonger", "ends_on", ("2027-03-01", "2027-04-01", "2027-05-01")
        ),
    }


@pytest.mark.parametrize("form", [form for form in FORMS if form != "mandates"])
def test_two_people_what_each_changed_is_kept_and_a_clash_is_asked(
    as_: As, shared_forms: dict[str, Shared], form: str
) -> None:
    first, second = FORMS[form]

    play(as_(first), as_(second), shared_forms[form])


@pytest.mark.parametrize("form", ["particulars", "masks", "users"])
def test_two_people_a_version_that_no_page_gave_overwrites_nothing(
    as_: As, shared_forms: dict[str, Shared], form: str
) -> None:
    first, second = FORMS[form]

    check_forged_versions_refused(as_(first), as_(second), shared_forms[form])


@time_machine.travel(datetime(2026, 11, 23, 13, 30, tzinfo=UTC), tick=False)
def test_extend_mandate_by_two_heads(as_: As, shared_forms: dict[str, Shared]) -> None:
    first, second, shared = as_("head"), as_("head"), shared_forms["mandates"]
    sooner, _later, latest = shared.values
    opened = Page(second.get(shared.url)).posts()
    first.post(shared.url, {**Page(first.get(shared.url)).posts(), "ends_on": sooner})

    asked = second.post(shared.url, {**opened, "ends_on": latest})
    kept = second.post(shared.url, {**Page(asked).posts(), "choix-ends_on": "enregistre"})

    assert (asked.status_code, kept.status_code) == (409, 303)
    assert Page(asked).clashes()[0][1:] == ["01/03/2027", "01/05/2027"]
    assert Page(first.get(shared.url)).posts()["ends_on"] == [sooner]

    assert second.post(shared.url, Page(asked).posts()).status_code == 303
    assert Page(first.get(shared.url)).posts()["ends_on"] == [latest]


def test_save_modules_by_two_people(app: Flask, as_: As, world: World) -> None:
    first, second, url = as_("head"), as_("head"), f"{SETTINGS}/modules"
    opened = Page(second.get(url)).posts()
    first.post(url, {**Page(first.get(url)).posts(), "scenarios": "non"})

    answer = second.post(url, {**opened, "passport": "non"})

    row = school_row(app, world.a.id)
    assert answer.status_code == 303
    assert (row["scenarios_enabled"], row["passport_enabled"]) == (False, False)
    assert "Claude BASALTE avait changé « Scénarios » entre-temps" in Page(second.get(answer.location)).text


class TestMergeIsJudged:
    def test_merge_transfers_on_without_the_number_that_the_other_removed(
        self, app: Flask, as_: As, world: World
    ) -> None:
        first, second = as_("administrator"), as_("head")
        first.post(TRANSFERS, {"cnil_reference": "1679866"})
        opened = Page(second.get(TRANSFERS)).posts()
        first.post(TRANSFERS, {**Page(first.get(TRANSFERS)).posts(), "cnil_reference": ""})

        answer = second.post(TRANSFERS, {**opened, "transfers_enabled": "oui"})

        assert answer.status_code == 422
        assert "Indiquez d’abord la référence" in Page(answer).text
        assert "Alix GRANITE avait changé" in Page(answer).text, "why the number is gone"
        assert school_row(app, world.a.id)["transfers_enabled"] is False

    def test_merge_transfers_on_with_the_number_that_the_other_gave(self, app: Flask, as_: As, world: World) -> None:
        first, second = as_("administrator"), as_("head")
        opened = Page(second.get(TRANSFERS)).posts()
        first.post(TRANSFERS, {**Page(first.get(TRANSFERS)).posts(), "cnil_reference": "1679866"})

        answer = second.post(TRANSFERS, {**opened, "transfers_enabled": "oui"})

        assert answer.status_code == 303
        assert school_row(app, world.a.id)["transfers_enabled"] is True

    def test_merge_the_same_number_typed_in_two_ways_asks_nothing(self, app: Flask, as_: As, world: World) -> None:
        first, second = as_("administrator"), as_("head")
        opened = Page(second.get(PARTICULARS)).posts()
        first.post(PARTICULARS, {**Page(first.get(PARTICULARS)).posts(), "phone": "03 87 00 00 00"})

        answer = second.post(PARTICULARS, {**opened, "phone": "0387000000", "city": "Metz"})

        assert answer.status_code == 303
        assert school_row(app, world.a.id)["city"] == "Metz"

    def test_merge_what_was_kept_is_shown_once(self, as_: As) -> None:
        first, second = as_("administrator"), as_("head")
        opened = Page(second.get(PARTICULARS)).posts()
        first.post(PARTICULARS, {**Page(first.get(PARTICULARS)).posts(), "academy": "Nancy-Metz"})

        refused = second.post(PARTICULARS, {**opened, "phone": "trop court"})
        saved = second.post(PARTICULARS, {**Page(refused).posts(), "phone": "0387000000"})

        sentence = "Alix GRANITE avait changé « Académie » entre-temps"
        assert refused.status_code == 422
        assert sentence in Page(refused).text
        assert Page(refused).posts()["academy"] == ["Nancy-Metz"]
        assert saved.status_code == 303
        assert sentence not in Page(second.get(saved.location)).text


class TestTwoPeopleHistory:
    def test_restore_is_not_disturbed_by_another_field(self, app: Flask, as_: As, world: World) -> None:
        first, second = as_("administrator"), as_("head")
        first.post(PARTICULARS, {"city": "Metz"})
        address = next(
            each.get("href") or ""
            for each in Page(second.get(f"{SETTINGS}/historique?de=etablissement")).main.iter("a")
            if "/retablir" in (each.get("href") or "")
        )
        asked = Page(second.get(address)).posts()
        first.post(PARTICULARS, {"academy": "Nancy-Metz"})

        answer = second.post(address, asked)

        row = school_row(app, world.a.id)
        assert answer.status_code == 303
        assert (row["city"], row["academy"]) == ("", "Nancy-Metz")


class TestCompare:
    BASE = fingerprint({"text": "un", "on": True, "boxes": ["1", "2"], "links": [{"url": "x"}], "none": None})

    @pytest.mark.parametrize(
        ("name", "mine", "theirs", "verdict"),
        [
            ("text", "un", "un", Verdict.MINE),
            ("text", "deux", "un", Verdict.MINE),
            ("text", "un", "deux", Verdict.THEIRS),
            ("text", "deux", "trois", Verdict.CLASH),
            ("text", "deux", "deux", Verdict.MINE),
            ("text", " un\r\n", "deux", Verdict.THEIRS),
            ("on", "oui", False, Verdict.THEIRS),
            ("on", "non", True, Verdict.MINE),
            ("boxes", ["2", "1"], ["1"], Verdict.THEIRS),
            ("boxes", ["1", "3"], ["1"], Verdict.CLASH),
            ("links", [{"url": "x"}], [], Verdict.THEIRS),
            ("links", [{"url": "y"}], [], Verdict.CLASH),
            ("none", "", "deux", Verdict.THEIRS),
            ("unknown", "un", "deux", Verdict.CLASH),
        ],
    )
    def test_compare_says_whose_value_a_field_takes(
        self, name: str, mine: object, theirs: object, verdict: Verdict
    ) -> None:
        assert compare(self.BASE, name, mine=mine, theirs=theirs) is verdict

    def test_compare_says_nothing_of_what_it_was_drawn_from(self) -> None:
        assert "secret" not in fingerprint({"text": "secret"})

    def test_compare_a_field_that_is_not_written_may_have_changed(self) -> None:
        opened_on = fingerprint({"a": "1", "b": "1"})

        check_fresh({"a": "1", "b": "2"}, opened_on, ["a"])
        check_fresh({"a": "1", "b": "2"}, None)
        with pytest.raises(StaleForm):
            check_fresh({"a": "1", "b": "2"}, opened_on, ["b"])
        with pytest.raises(StaleForm):
            check_fresh({"a": "1", "b": "2"}, opened_on)
        with pytest.raises(StaleForm):
            check_fresh({"a": "1"}, "forged")
