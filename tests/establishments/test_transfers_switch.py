"""The switch of transfers: the event that it announces, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from cpro.core import events, tenancy
from cpro.core.tenancy import Scope
from cpro.core.transactions import unit_of_work
from cpro.establishments.models import Establishment
from cpro.establishments.operations.transfers_switch import update_transfers_switch
from tests.factories import NOW, TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.records import failing_journal, nothing_written, school_row

URL = "/admin/parametres/transferts"
As = Callable[..., Browser]


@contextmanager
def listening(listener: Callable[..., None]) -> Iterator[None]:
    with events.transfers_switched.connected_to(listener):
        yield


class TestUpdateTransfersSwitch:
    def test_update_transfers_switch_is_announced_inside_the_transaction(
        self, app: Flask, as_: As, world: World
    ) -> None:
        heard: list[dict[str, Any]] = []

        def listener(school: Establishment, **facts: Any) -> None:
            outside = school_row(app, world.a.id)["transfers_enabled"]
            heard.append({"id": school.id, "inside": school.transfers_enabled, "outside": outside, **facts})

        with listening(listener):
            as_("administrator").post(URL, {"cnil_reference": "1679866", "transfers_enabled": "oui"})

        assert len(heard) == 1
        assert (heard[0]["id"], heard[0]["inside"], heard[0]["outside"]) == (world.a.id, True, False)
        assert (heard[0]["enabled"], heard[0]["by"].label) == (True, "Alix GRANITE")

    def test_update_transfers_switch_says_nothing_when_the_switch_did_not_move(self, as_: As) -> None:
        heard: list[object] = []

        with listening(lambda school, **facts: heard.append(school)):
            as_("administrator").post(URL, {"cnil_reference": "1679866", "uses_siecle": "non"})

        assert heard == []

    def test_update_transfers_switch_a_listener_that_fails_undoes_everything(self, app: Flask, as_: As) -> None:
        def listener(school: Establishment, **facts: Any) -> None:
            raise RuntimeError("a feature above could not follow")

        browser = as_("administrator")

        with nothing_written(app), listening(listener), pytest.raises(RuntimeError, match="could not follow"):
            browser.post(URL, {"cnil_reference": "1679866", "transfers_enabled": "oui"})

    def test_update_transfers_switch_without_its_journal_line_a_change_does_not_happen(
        self, app: Flask, world: World
    ) -> None:
        with nothing_written(app), failing_journal(), pytest.raises(RuntimeError), app.app_context():
            tenancy.enter(Scope(world.a.id))
            with unit_of_work():
                update_transfers_switch(
                    cnil_kind="declaration",
                    cnil_reference="1679866",
                    transfers_enabled=True,
                    uses_siecle=True,
                    opened_on=None,
                    by=TESTER,
                    now=NOW,
                )
