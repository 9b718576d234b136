"""The first day of a school, from its creation to a dashboard on which nothing is left."""

from __future__ import annotations

from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

HEAD = "proviseur@academie.example"


def test_first_day(platform: Live) -> None:
    play(platform)


def play(platform: Live) -> tuple[Visitor, Visitor]:
    """Play the day, however its people browse; return the administrator and the head."""
    platform.flask("competences", "load")
    administrator = steps.create_school(
        platform, code="curie", uai=steps.UAI, name="Lycée Marie-Curie", head_email=HEAD
    )
    steps.complete_particulars(administrator, email="lycee@curie.example")
    steps.switch_transfers_on(administrator)
    steps.deposit_pictures(administrator)
    steps.deposit(administrator, steps.samples())
    steps.apply_import(platform, administrator)
    steps.attach_courses(administrator)
    steps.open_pupils_accounts(administrator)
    pupil = _handed_out(platform, administrator, pour="division", division="2MELEC1", login="alix.testeur")
    pupil.sees("Alix TESTEUR")
    teacher = _handed_out(platform, administrator, pour="role", role="teacher", login="eloise.noeud")
    assert teacher.title == "Parcours des apprenants"
    head = steps.activate_head(platform, administrator, name="PROVISEUR-FICTIF", mailbox=HEAD)
    _the_other_accounts_activate(platform, administrator)

    administrator.menu("Tableau de bord")
    head.menu("Tableau de bord")
    source = [item for item in ("Compléter les INE",) if f"{item} (à faire)" in administrator.text]
    assert source == ["Compléter les INE"]  # one pupil of the sample has none: only SIECLE can bring it
    administrator.sees("Il reste un point à régler")
    return administrator, head


def _handed_out(platform: Live, administrator: Visitor, *, login: str, **choice: str) -> Visitor:
    """Create the sheets asked for, and let one person activate with theirs."""
    sheet = steps.create_sheets(administrator, **choice)[login]
    return steps.activate(platform, login, school=sheet["Établissement"], login=login, code=sheet["Code"])


def _the_other_accounts_activate(platform: Live, administrator: Visitor) -> None:
    for login, sheet in steps.create_sheets(administrator, pour="jamais").items():
        # The page of the others once more: over HTTP, whatever those browse with.
        steps.activate_with(Visitor(platform.url, login), school="curie", login=login, code=sheet["Code"])
