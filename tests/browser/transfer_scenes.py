"""The pages of transfers in every state of a transfer, seen from both schools; see `scenes`."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from playwright.sync_api import Page
from sqlalchemy import select

from cpro import create_app
from cpro.core import clock
from cpro.establishments.models import Establishment
from cpro.records.models import Fiche
from tests.browser.scenes import TRANSFERS, Scene, press
from tests.helpers.chromium import Site
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import (
    FOLLOW_UP,
    STATES,
    agreement,
    cancelled,
    confirmed,
    conflict,
    done,
    offered,
    refused,
)

SOURCE, DESTINATION = "administrateur@lovelace", "chef@chatelet"
Act = Callable[[Site, Page], None]
_exchanges: weakref.WeakKeyDictionary[Site, Exchange] = weakref.WeakKeyDictionary()


def exchange_of(site: Site) -> Exchange:
    """Return where the two demonstration schools of a site exchange: "a" is the first, "b" the second, "c" another."""
    if site not in _exchanges:
        app = create_app(
            {
                "CPRO_INSTANCE": site.platform.folder / "instance",
                "CPRO_UPLOADS": site.platform.folder / "uploads",
                "SQLALCHEMY_DATABASE_URI": site.platform.database_url,
                "CPRO_PUBLIC_URL": site.platform.url,
            }
        )
        found = Exchange(app, {})
        with found.look() as session:
            codes = {"lovelace": "a", "chatelet": "b"}
            schools = session.execute(select(Establishment.code, Establishment.id)).all()
        _exchanges[site] = Exchange.open(app, {codes[code]: id_ for code, id_ in schools if code in codes}, others=1)
    exchange = _exchanges[site]
    for school in "ab":
        exchange.switch(school, on=True)
    exchange.now = clock.utcnow()
    return exchange


def see(arrange: Callable[[Exchange], None], school: str, action: str = "", *, then: Act | None = None) -> Act:
    """Return the action of arranging a transfer, then opening its page or that of an action on it."""

    def act(site: Site, page: Page) -> None:
        exchange = exchange_of(site)
        arrange(exchange)
        latest = exchange.sides(school)[-1].id
        page.goto(f"{FOLLOW_UP}/{latest}/{action}".rstrip("/"))
        if then:
            then(site, page)

    return act


def _see_state(case: str, school: str) -> Act:
    arrange, state, _seers = STATES[case]

    def act(site: Site, page: Page) -> None:
        exchange = exchange_of(site)
        arrange(exchange)
        side = [side for side in exchange.sides(school) if side.state is state][-1]
        page.goto(f"{FOLLOW_UP}/{side.id}")

    return act


def _evaluate_upon(site: Site, page: Page) -> None:
    """Evaluate upon a fiche that was received, then ask for the cancelling."""
    exchange = exchange_of(site)
    side = exchange.sides("b")[-1]
    with exchange.look() as session:
        uid = session.scalars(select(Fiche.origin_uid).where(Fiche.received_in == side.id)).first()
    exchange.add(exchange.evaluation("b", side.student_id or 0, fiche_uid=uid))
    press("Annuler le transfert", reason="Erreur de rattachement")(site, page)


def _link_another(site: Site, page: Page) -> None:
    """Link an offer to a pupil of another name."""
    page.get_by_role("main").get_by_role("radio").last.check()
    press("Rattacher et copier")(site, page)


def _made_meanwhile(site: Site, page: Page) -> None:
    """Press the button of an action that was made in another window meanwhile."""
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Confirmer et demander l’accord").click()
    other.wait_for_selector(".flash")
    other.close()
    page.get_by_role("button", name="Confirmer et demander l’accord").click()


def _without_siecle(path: str) -> Act:
    def act(site: Site, page: Page) -> None:
        exchange = exchange_of(site)
        exchange.switch("b", on=True, siecle=False)
        page.goto(path)

    return act


def _destination_known(site: Site, page: Page) -> None:
    _without_siecle(f"{FOLLOW_UP}/proposer")(site, page)
    press("Continuer", uai="0999002X")(site, page)


def _switch_off(site: Site, page: Page) -> None:
    done(exchange_of(site))
    page.goto(TRANSFERS)
    page.get_by_role("group", name="Activer les transferts").get_by_label("Non").check()
    page.get_by_role("button", name="Valider").click()


def _off(site: Site, page: Page) -> None:
    exchange = exchange_of(site)
    done(exchange)
    exchange.switch("b", on=False)
    page.reload()


def _full(path: str) -> Act:
    """Return the action of opening a page once every kind of transfer is there."""

    def act(site: Site, page: Page) -> None:
        exchange = exchange_of(site)
        for arrange, _state, _seers in STATES.values():
            arrange(exchange)
            for school in "ab":
                exchange.switch(school, on=True)
        page.goto(path)

    return act


def _try(site: Site, page: Page) -> None:
    exchange_of(site)
    page.reload()
    page.get_by_role("button", name="Essayer maintenant").click()
    page.wait_for_selector("#travail:not([data-running])")


_WHO = {"a": SOURCE, "b": DESTINATION}

TRANSFER_SCENES = [
    Scene("transfers-off", DESTINATION, FOLLOW_UP, 200, _off),
    *(
        Scene(f"transfer-{case.replace(' ', '-')}-{school}", _WHO[school], FOLLOW_UP, 200, _see_state(case, school))
        for case, (_arrange, _state, seers) in STATES.items()
        for school in seers
    ),
    Scene("transfer-confirm", DESTINATION, FOLLOW_UP, 200, see(conflict, "b", "confirmer")),
    Scene(
        "transfer-confirmed-twice", DESTINATION, FOLLOW_UP, 409, see(conflict, "b", "confirmer", then=_made_meanwhile)
    ),
    Scene("transfer-refuse", DESTINATION, FOLLOW_UP, 200, see(conflict, "b", "refuser")),
    Scene(
        "transfer-refuse-without-reason",
        DESTINATION,
        FOLLOW_UP,
        422,
        see(conflict, "b", "refuser", then=press("Refuser le transfert")),
    ),
    Scene("transfer-agree", SOURCE, FOLLOW_UP, 200, see(agreement, "a", "accorder")),
    Scene("transfer-agree-identities", SOURCE, FOLLOW_UP, 200, see(confirmed, "a", "accorder")),
    Scene("transfer-cancel", DESTINATION, FOLLOW_UP, 200, see(done, "b", "annuler")),
    Scene("transfer-cancel-evaluated", DESTINATION, FOLLOW_UP, 409, see(done, "b", "annuler", then=_evaluate_upon)),
    Scene("transfer-cancel-closed", SOURCE, FOLLOW_UP, 409, see(done, "a", "annuler")),
    Scene("transfer-ask-again", DESTINATION, FOLLOW_UP, 200, see(cancelled, "b", "redemander")),
    Scene(
        "transfer-asked-again",
        DESTINATION,
        FOLLOW_UP,
        200,
        see(refused, "b", "redemander", then=press("Demander à nouveau")),
    ),
    Scene("transfer-take-back", SOURCE, FOLLOW_UP, 200, see(offered, "a", "reprendre")),
    Scene("transfer-accept", DESTINATION, FOLLOW_UP, 200, see(offered, "b", "accepter")),
    Scene(
        "transfer-accept-nobody",
        DESTINATION,
        FOLLOW_UP,
        422,
        see(offered, "b", "accepter", then=press("Rattacher et copier")),
    ),
    Scene(
        "transfer-accept-sought",
        DESTINATION,
        FOLLOW_UP,
        200,
        see(offered, "b", "accepter", then=press("Chercher parmi vos élèves présents", sought="Introuvable")),
    ),
    Scene("transfer-accept-another", DESTINATION, FOLLOW_UP, 409, see(offered, "b", "accepter", then=_link_another)),
    Scene("transfer-offer-destination", SOURCE, FOLLOW_UP, 200, _without_siecle(f"{FOLLOW_UP}/proposer")),
    Scene("transfer-offer-list", SOURCE, FOLLOW_UP, 200, _destination_known),
    Scene(
        "transfer-offer-refused",
        DESTINATION,
        FOLLOW_UP,
        422,
        lambda site, page: (
            _without_siecle(f"{FOLLOW_UP}/proposer")(site, page),
            press("Proposer ces élèves", uai="0999001W")(site, page),
        ),
    ),
    Scene("transfers-full", SOURCE, FOLLOW_UP, 200, _full(FOLLOW_UP)),
    Scene("transfers-full-support", "support@chatelet", FOLLOW_UP),
    Scene("transfers-received", DESTINATION, f"{FOLLOW_UP}?liste=recus"),
    Scene("transfers-pending", DESTINATION, f"{FOLLOW_UP}?liste=en-cours"),
    Scene("transfers-sought-none", SOURCE, f"{FOLLOW_UP}?recherche=introuvable"),
    Scene("transfers-tried", SOURCE, FOLLOW_UP, 200, _try),
    Scene("transfers-screen", SOURCE, "/admin/transferts/"),
    Scene("transfers-screen-support", "support@chatelet", "/admin/transferts/?etat=done"),
    Scene("transfers-dashboard-left", SOURCE, "/admin/"),
    Scene("transfers-dashboard-joined", DESTINATION, "/admin/"),
    Scene("transfers-tab", DESTINATION, TRANSFERS),
    Scene("transfers-switch-off", SOURCE, TRANSFERS, 200, _switch_off),
    Scene("transfers-journal", SOURCE, "/admin/journal/"),
]
