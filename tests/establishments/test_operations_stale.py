"""The last word against overwriting: settings are compared once more under the lock, whatever the page compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask

from cpro.core.clock import utcnow
from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.storage import FileStorage
from cpro.establishments.models import PictureKind
from cpro.establishments.operations.modules import get_switches, update_modules
from cpro.establishments.operations.particulars import get_particulars, update_particulars
from cpro.establishments.operations.pictures import get_picture_in_use, restore_picture
from cpro.establishments.operations.transfers_switch import get_switch_values, update_transfers_switch
from cpro.establishments.queries import get_current_establishment, list_restorable
from cpro.records.operations.retention import get_retention_values, update_retention
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pictures import png
from tests.helpers.records import nothing_written
from tests.helpers.uploads import upload

SWITCH = {"cnil_kind": "registre", "cnil_reference": "Registre 2026-4", "transfers_enabled": False, "uses_siecle": True}


@pytest.mark.parametrize(
    ("update", "read", "posted", "seen"),
    [
        (update_modules, get_switches, {"wanted": {"passport": False}}, {"passport": False}),
        (update_particulars, get_particulars, {"values": {"city": "Nancy"}}, {"city": "Metz"}),
        (update_transfers_switch, get_switch_values, SWITCH, {"cnil_reference": "Registre 2025-1"}),
        (update_retention, get_retention_values, {"years": "2"}, {"retention_years": "1"}),
    ],
    ids=["modules", "particulars", "transfers", "retention"],
)
def test_update_settings_refuses_what_was_saved_since_the_form_was_opened(
    app: Flask,
    world: World,
    update: Callable[..., Any],
    read: Callable[[Any], Mapping[str, Any]],
    posted: dict[str, Any],
    seen: dict[str, Any],
) -> None:
    """`seen` is what the page showed of a field that it posts, and that somebody changed since."""

    def save(page: dict[str, Any], **act: Any) -> Any:
        opened_on = fingerprint({**read(get_current_establishment()), **page})
        return update(**posted, opened_on=opened_on, **act)

    office = Office(app, world)

    with nothing_written(app), pytest.raises(StaleForm):
        office.act(save, page=seen)

    assert office.act(save, page={})


def test_restore_picture_refuses_what_was_put_since_the_page_was_opened(
    app: Flask, world: World, as_: Callable[..., Browser]
) -> None:
    for size in (10, 20):
        upload(as_("administrator"), png(size, size), "logo")
    office, now = Office(app, world), utcnow()

    def restore(seen: dict[str, int], **act: Any) -> Any:
        (earlier,) = list_restorable(now=now)
        in_use = get_picture_in_use(PictureKind.LOGO)
        return restore_picture(
            earlier, storage=FileStorage(app.config["CPRO_UPLOADS"]), opened_on=fingerprint(in_use | seen), **act
        )

    with nothing_written(app), pytest.raises(StaleForm):
        office.act(restore, now=now, seen={"version": 0})

    assert office.act(restore, now=now, seen={})
