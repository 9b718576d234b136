"""Each fault tried on a platform that runs, while people write: what they read, and that nothing confirmed is lost.

The table of `docs/exploitation.md` says what follows. Workers killed, PostgreSQL stopped, a late clock, Redis and the
mail relay away: `test_bad_night.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.campaigns import ALL, size_of
from tests.helpers.pictures import png
from tests.journeys import steps
from tests.journeys.conftest import empty_database
from tests.journeys.faults import NO_ROOM, Writing, clock_shifted, fill, read_only, small_disk, unmounted
from tests.journeys.live import Live, live

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: What the suite leaves to the campaign: minutes each, on a loaded machine.
in_the_campaign = pytest.mark.skipif(size_of("faults") < ALL, reason="python -m bench.campaigns faults")

FULL, ONLY_READ = "le disque est plein", "en lecture seule"
ABSENT = "le dossier des fichiers n’est pas là"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """Yield the store, a disk of its own."""
    with small_disk(tmp_path / "store", megabytes=8) as disk:
        yield disk


@pytest.fixture
def on_small_store(tmp_path: Path, store: Path) -> Iterator[Live]:
    with empty_database(tmp_path) as address, live(tmp_path, address, CPRO_UPLOADS=str(store)) as running:
        yield running


def files_of(store: Path) -> list[Path]:
    return [each for each in sorted(store.rglob("*")) if each.is_file() and each.name != "ballast"]


def put_picture(writing: Writing, colour: int) -> int:
    """Put a logo; return the status of the page."""
    administrator = writing.visitor
    administrator.open_received("/admin/parametres/etablissement")
    administrator.menu("Tableau de bord")
    administrator.follow("Déposer : Déposer le logo et le cachet")
    administrator.fill_and_press("Télécharger un logo", {"logo": ("image.png", png(width=40 + colour))})
    return administrator.status


def open_school(platform: Live) -> Writing:
    """Create a school whose particulars are complete; return its administrator."""
    administrator = steps.create_school(platform, code="curie", uai=steps.UAI, name="Lycée Marie-Curie")
    steps.complete_particulars(administrator, email="lycee@curie.example")
    return Writing(administrator)


class TestStore:
    def test_store_full_is_said_and_leaves_nothing_half_written(self, on_small_store: Live, store: Path) -> None:
        writing = open_school(on_small_store)
        before = files_of(store)
        ballast = fill(store)
        with writing:
            pass

        assert put_picture(writing, 1) == 507
        writing.visitor.sees(FULL)
        assert files_of(store) == before
        steps.switch_transfers_on(writing.visitor)
        writing.visitor.menu("Gérer les imports")
        writing.visitor.press("Analyser les fichiers", files=steps.samples())
        assert writing.visitor.status == 507
        writing.visitor.sees(FULL)
        assert files_of(store) == before
        assert writing.write("Nancy"), "what needs no file is saved"

        ballast.unlink()
        assert put_picture(writing, 1) == 200
        steps.deposit(writing.visitor, steps.samples())
        check_store(on_small_store, store)
        writing.check_nothing_is_lost(on_small_store)

    @in_the_campaign
    def test_store_that_only_reads_is_said_and_is_served_again(self, on_small_store: Live, store: Path) -> None:
        writing = open_school(on_small_store)
        assert put_picture(writing, 1) == 200
        read_only(store, is_so=True)
        try:
            assert put_picture(writing, 2) == 503
            writing.visitor.sees(ONLY_READ)
            assert writing.write("Nancy")
        finally:
            read_only(store, is_so=False)

        assert put_picture(writing, 2) == 200
        check_store(on_small_store, store)

    @in_the_campaign
    def test_store_not_mounted_any_more_is_said_and_is_served_again(self, on_small_store: Live, store: Path) -> None:
        writing = open_school(on_small_store)
        assert put_picture(writing, 1) == 200
        with unmounted(store):
            assert put_picture(writing, 2) == 503
            writing.visitor.sees(ABSENT)
            assert writing.write("Nancy"), "what needs no file is saved"
            assert list(store.iterdir()) == [], "nothing fills the place of the disk"

        assert put_picture(writing, 2) == 200
        check_store(on_small_store, store)


def check_store(platform: Live, store: Path) -> None:
    """Fail unless each picture that a row names is whole, and no file is left half-written."""
    names = {name for (name,) in platform.rows("SELECT stored_name FROM picture_version WHERE stored_name <> ''")}
    assert names
    for name in names:
        assert hashlib.sha256((store / name).read_bytes()).hexdigest() == Path(name).stem
    assert [each for each in files_of(store) if each.suffix == ".tmp"] == []


@in_the_campaign
class TestInstanceDisk:
    def test_instance_disk_full_loses_nothing_confirmed(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", megabytes=24) as disk, empty_database(disk) as address:
            with live(disk, address) as platform:
                writing = open_school(platform)
                ballast = fill(disk)
                for number in range(20):
                    writing.write(f"Plein-{number}")
                if address.startswith("sqlite"):  # the base is on that disk too
                    assert writing.refused
                    assert all(each.startswith("507") for each in writing.refused.values()), writing.refused
                    assert all(NO_ROOM in each for each in writing.refused.values()), writing.refused
                else:
                    assert not writing.refused
                ballast.unlink()
                assert writing.write("Nancy"), writing.refused["Nancy"]
                writing.check_nothing_is_lost(platform)


@in_the_campaign
class TestClock:
    def test_clock_an_hour_ahead_loses_nothing_confirmed(self, tmp_path: Path) -> None:
        wrong = clock_shifted(tmp_path / "wrong-clock", 1)
        with empty_database(tmp_path) as address, live(tmp_path, address) as platform:
            writing = open_school(platform)
            assert writing.write("Avant")
            platform.cut_power()
            platform.start(**wrong)
            assert not writing.write("Pendant"), "nobody was there for half an hour"
            meanwhile = Writing(steps.sign_in(platform, "meanwhile", school="curie", login="administrateur"))
            assert meanwhile.write("Pendant-2")
            platform.cut_power()
            platform.start()
            assert meanwhile.write("Apres"), "they are an hour away, once the clock is right"
            for each in (writing, meanwhile):
                each.check_nothing_is_lost(platform)
