"""A bad night on a platform that serves: in the morning what was confirmed is there, what was refused said so.

Redis and the mail relay are away all night; meanwhile the worker is killed in an import, the database stops dead, the
disk is full, and the machine comes back from a power cut with its clock an hour late. Messages have left once, and the
tasks of the night were done once. `python -m bench.campaigns bad-nights` plays more of them, the faults in any order.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.campaigns import size_of
from cpro.core import clock
from tests.helpers.mail_server import Sink
from tests.helpers.pictures import png
from tests.helpers.redis_server import RedisServer
from tests.journeys import steps
from tests.journeys.faults import NO_DATABASE, NO_ROOM, Cluster, Writing, clock_shifted, fill, small_disk
from tests.journeys.live import Live, code_in, live
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NIGHTS = size_of("bad-nights")
#: Enough for an application that lasts while its worker is killed.
PUPILS = 2_000
TEACHER, TEACHER_NAME = "anne-maiwenn.bobine-test", "BOBINE-TEST"
HEAD, HEAD_MAIL = "paul.proviseur-fictif", "chef@curie.example"
_UNDER_WAY = "SELECT kind FROM job WHERE state_value IN ('waiting', 'running')"
#: A nightly task has « kind@day »; it is renamed when another night falls.
_OF_TONIGHT = "period_key LIKE '%:%@%-%-%' AND period_key NOT LIKE 'night %'"
_APPLYING = "SELECT count(*) FROM job WHERE kind = 'imports:apply' AND state_value = 'running'"


@dataclass
class School:
    """A school on a platform, what may break under it, and what its people saw confirmed."""

    platform: Live
    folder: Path
    disk: Path
    redis: RedisServer
    relay: Sink
    #: None on SQLite, which has no server to lose
    cluster: Cluster | None
    administrator: Visitor
    teacher: Visitor
    #: the administrator again, who saves something all the time
    writing: Writing
    scenarios: list[str] = field(default_factory=list)
    logos: int = 0
    nights: int = 0

    def sign_in_again(self) -> None:
        """Sign everybody in, after an hour during which the clock was wrong."""
        self.administrator, self.writing.visitor = self._sign_in("administrateur"), self._sign_in("administrateur")
        self.teacher = self._sign_in(TEACHER)

    def begin_scenario(self) -> str:
        """Open the form of a scenario; return the title to give it."""
        self.teacher.menu("Scénarios")
        self.teacher.follow("Écrire un scénario")
        return f"Situation {self.nights}-{len(self.scenarios)}"

    def save_scenario(self, title: str) -> bool:
        """Send the form; return whether the page confirmed it."""
        self.teacher.press("Valider", title=title)
        return self._is_saved(title)

    def save_scenario_again(self, title: str) -> None:
        """Send again what a page refused, as it offers."""
        self.teacher.press("Réessayer")
        assert self._is_saved(title), self.teacher.text

    def put_logo(self) -> int:
        """Put another logo; return the status of the page."""
        self.administrator.open_received("/admin/parametres/logo")
        if self.administrator.status == 200:
            picture = ("logo.png", png(width=40 + self.logos))
            self.administrator.fill_and_press("Télécharger un logo", {"logo": picture})
        if self.administrator.status == 200:
            self.administrator.sees("Le logo est enregistré")
            self.logos += 1
        return self.administrator.status

    def let_work_come_back(self) -> None:
        """Let the minutes pass after which the work of a killed worker is taken back."""
        self._silent_since(timedelta(hours=3), "lease_until")

    def let_silence_last(self) -> None:
        """Let the minute pass after which a page says that a worker no longer gives signs of life."""
        self._silent_since(timedelta(minutes=1), "heartbeat_at")

    def _silent_since(self, ago: timedelta, column: str) -> None:
        instant = (clock.utcnow() - ago).strftime("%Y-%m-%d %H:%M:%S.%f")
        update = f"UPDATE job SET {column} = :instant WHERE state_value = 'running'"
        self.platform.let_time_pass(update, {"instant": instant})

    def _sign_in(self, login: str) -> Visitor:
        return steps.sign_in(self.platform, login, school="curie", login=login)

    def _is_saved(self, title: str) -> bool:
        if self.teacher.status != 200:
            return False
        self.teacher.sees("Scénario enregistré")
        self.scenarios.append(title)
        return True


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    """Yield a school at dusk: all is well, and its head has no account yet."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", megabytes=128))
        (disk / "instance").mkdir()
        cluster = _own_cluster(stack)
        relay = Sink()
        relay.start()
        stack.callback(relay.stop)
        redis = stack.enter_context(RedisServer(tmp_path))
        settings = {
            "CPRO_INSTANCE": str(disk / "instance"),
            "CPRO_UPLOADS": str(disk / "uploads"),
            "CPRO_JOBS_URL": redis.url,
        }
        address = cluster.address if cluster else f"sqlite:///{disk / 'instance' / 'cpro.sqlite3'}"
        platform = stack.enter_context(live(tmp_path, address, mail_server=relay, **settings))
        platform.flask("competences", "load")
        administrator = steps.open_imported_school(platform, head_mail=HEAD_MAIL)
        teacher = steps.activate_teacher(platform, administrator, name=TEACHER_NAME, login=TEACHER, school="curie")
        other = steps.sign_in(platform, "writing", school="curie", login="administrateur")
        yield School(platform, tmp_path, disk, redis, relay, cluster, administrator, teacher, Writing(other))


def _own_cluster(stack: ExitStack) -> Cluster | None:
    """Return a PostgreSQL that the night may stop, when the suite is on PostgreSQL."""
    if not os.environ.get("CPRO_TEST_DATABASE_URL"):
        return None
    if not shutil.which("initdb"):
        pytest.skip("PostgreSQL's own programs are not here")
    cluster = Cluster()
    cluster.start()
    stack.callback(cluster.remove)
    cluster.create_database()
    return cluster


def test_bad_night_in_the_morning_nothing_confirmed_is_lost_and_all_is_done_once(school: School) -> None:
    chance = random.Random(20261128)
    faults = [_worker_killed_in_an_import, _database_stopped, _disk_full, _power_cut_and_clock_late]

    for _ in range(NIGHTS):
        evening = _night_falls(school)
        for fault in faults:
            fault(school)
        _morning_comes(school, evening)
        chance.shuffle(faults)

    code = code_in(school.platform.mails(HEAD_MAIL)[-1])
    steps.activate(school.platform, "head", school="curie", login=HEAD, code=code)
    counted = len(school.writing.confirmed), len(school.writing.refused), len(school.writing.cut)
    print(f"{NIGHTS} nights: {counted[0]} forms confirmed, {counted[1]} refused, {counted[2]} cut")


def _night_falls(school: School) -> set[str]:
    """Lose Redis and the mail relay; return the kinds of nightly tasks, which are to be done again."""
    platform, administrator = school.platform, school.administrator
    school.nights += 1
    platform.wait_until(lambda: platform.rows(_UNDER_WAY) == [], "the end of what the evening asked")
    kinds = {key.split("@")[0] for key in _nightly(platform)}
    platform.let_time_pass(
        f"UPDATE job SET period_key = 'night {school.nights} ' || id || period_key WHERE {_OF_TONIGHT}"
    )
    school.redis.stop()
    school.relay.stop()

    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("PROVISEUR-FICTIF")
    administrator.follow("Réinitialiser")
    administrator.press("Réinitialiser", current_password=steps.PASSWORD)
    administrator.sees(HEAD_MAIL)
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("PROVISEUR-FICTIF")
    platform.wait_on_page(administrator, "le serveur de messagerie ne répond pas")
    administrator.sees("en attente")
    return kinds


def _nightly(platform: Live) -> list[str]:
    """Return the keys of the tasks of this night."""
    return [key for (key,) in platform.rows(f"SELECT period_key FROM job WHERE {_OF_TONIGHT}")]


def _worker_killed_in_an_import(school: School) -> None:
    platform, administrator = school.platform, school.administrator
    steps.deposit(administrator, steps.many_pupils(PUPILS, f"{school.nights}N"))
    platform.wait_on_page(administrator, "Appliquer l’import")
    with school.writing:
        administrator.press("Appliquer l’import")
        platform.wait_until(lambda: platform.rows(_APPLYING) == [(1,)], "a worker that applies the import")
        platform.kill_worker()
    assert platform.rows(_APPLYING) == [(1,)], "the import was over: the test proved nothing"
    assert _divisions(school) == 0, "half an import"
    school.let_silence_last()
    administrator.reload()
    administrator.sees("le traitement semble interrompu", "Rien n’est perdu")
    assert school.save_scenario(school.begin_scenario()), "what needs no worker is saved"

    school.let_work_come_back()
    platform.start_worker()
    steps.wait_for_report(platform, administrator)
    assert _divisions(school) == PUPILS


def _divisions(school: School) -> int:
    """Return how many pupils stand where the import of this night puts them."""
    statement = (
        "SELECT count(*) FROM student JOIN division ON division.id = student.division_id"
        " WHERE student.last_name LIKE 'NOMBREUX%' AND division.code LIKE :code"
    )
    [(number,)] = school.platform.rows(statement, {"code": f"{school.nights}N%"})
    return int(number)


def _database_stopped(school: School) -> None:
    if school.cluster is None:
        return
    platform, writing = school.platform, school.writing
    title = school.begin_scenario()
    with writing:
        _wait_for_more(platform, writing.confirmed, "something confirmed")
        school.cluster.stop()
        _wait_for_more(platform, writing.refused, "a page that says it")
        assert not school.save_scenario(title)
        school.teacher.sees(NO_DATABASE)
        assert school.teacher.status == 503
        school.cluster.start()
        _wait_for_more(platform, writing.confirmed, "something confirmed again")
    school.save_scenario_again(title)


def _disk_full(school: School) -> None:
    platform, writing, teacher = school.platform, school.writing, school.teacher
    title = school.begin_scenario()
    ballast = fill(school.disk)
    with writing:
        if school.cluster:  # the base of SQLite is on that disk too: it has room inside, for some time
            _wait_for_more(platform, writing.confirmed, "what needs no file is saved")
        assert school.put_logo() == 507
        school.administrator.sees("disque", "est plein")
        is_saved = school.save_scenario(title)
        ballast.unlink()
        _wait_for_more(platform, writing.confirmed, "something confirmed again")
    if not is_saved:
        assert teacher.status == 507
        teacher.sees(NO_ROOM)
        school.save_scenario_again(title)
    assert school.put_logo() == 200


def _power_cut_and_clock_late(school: School) -> None:
    platform, writing = school.platform, school.writing
    late = clock_shifted(school.folder / f"late-{school.nights}", -1)
    title = school.begin_scenario()
    with writing:
        _wait_for_more(platform, writing.confirmed, "something confirmed")
        platform.cut_power()
        _wait_for_more(platform, writing.cut, "a page that does not come")
        school.let_work_come_back()
        platform.start(**late)
        _wait_for_more(platform, writing.confirmed, "something confirmed again, an hour earlier")
        assert school.save_scenario(title), "they are still signed in"
    platform.cut_power()
    school.let_work_come_back()
    platform.start()
    school.sign_in_again()


def _wait_for_more(platform: Live, found: list[str] | dict[str, str], what: str) -> None:
    before = len(found)
    platform.wait_until(lambda: len(found) > before + 2, what)


def _morning_comes(school: School, evening: set[str]) -> None:
    """Redis and the relay are back: fail unless all is as people were told."""
    platform, writing = school.platform, school.writing
    assert len(platform.mails(HEAD_MAIL)) == school.nights - 1, "nobody received it yet"
    school.relay.start()
    platform.let_time_pass("UPDATE job SET not_before = NULL WHERE state_value = 'waiting'")
    platform.wait_for_mail(HEAD_MAIL, count=school.nights)
    school.redis.start()
    school.redis.wait_until_listened()
    platform.wait_until(lambda: platform.rows(_UNDER_WAY) == [], "the end of all work")

    assert platform.rows("SELECT kind, error FROM job WHERE state_value <> 'done'") == []
    tonight = Counter(key.split("@")[0] for key in _nightly(platform))
    assert set(tonight.values()) <= {1}
    if clock.utcnow().astimezone(ZoneInfo("Europe/Paris")).hour >= 3:  # before, the night is not over
        assert evening <= set(tonight)
    assert platform.rows("SELECT count(*) FROM mail_message WHERE state_value <> 'sent'") == [(0,)]
    assert len(platform.mails(HEAD_MAIL)) == school.nights
    assert all(each.startswith(("503", "507")) for each in writing.refused.values()), writing.refused
    assert all(NO_ROOM in each or NO_DATABASE in each for each in writing.refused.values()), writing.refused
    writing.check_nothing_is_lost(platform)
    titles = [title for (title,) in platform.rows("SELECT title FROM scenario ORDER BY id")]
    assert titles == school.scenarios
    assert _divisions(school) == PUPILS
    names = [name for (name,) in platform.rows("SELECT stored_name FROM picture_version")]
    assert len(names) == school.logos
    for name in names:
        content = (school.disk / "uploads" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == Path(name).stem
    assert "Journal intact" in platform.flask("audit", "verify")
