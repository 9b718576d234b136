"""Gérer les imports, in each state: deposit, analysis, what is decided, report, history; see `scenes`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import FilePayload, Page
from sqlalchemy import create_engine, select, text, update

from cpro.core.clock import utcnow
from cpro.core.jobs.models import Job, JobState
from cpro.imports.models import ImportRun, RunState
from tests.browser.scenes import Scene, end_sign_in, sign_in
from tests.helpers.chromium import Site
from tests.helpers.siecle import FILES, structures, student, students_xml

IMPORTS = "/admin/imports"
HISTORY = "/admin/imports/historique/"
ADMINISTRATOR = "administrateur@lovelace"
#: A name and a birth date that a pupil imported with the file of `_known` bears, under another number and without INE.
_KNOWN = {"NOM_DE_FAMILLE": "OBSIDIENNE", "PRENOM": "Swann", "DATE_NAISS": "02/02/2010"}

Act = Callable[[Site, Page], None]


def _typographic(path: Path) -> tuple[str, bytes]:
    """Return a sample whose names bear a printer's apostrophe: the pages' words are judged, not those of the file."""
    return path.name, path.read_bytes().replace(b"'", b"&#8217;")


SAMPLES = [
    _typographic(FILES / name)
    for name in ("ElevesSansAdresses.xml", "Structures.xml", "Nomenclature.xml", "sts_emp_0999001W_2026.xml")
]


def deposit(page: Page, *files: Path | tuple[str, bytes]) -> None:
    """Deposit files through the page, and end on what follows."""
    page.goto(IMPORTS)
    page.get_by_label("Fichiers à déposer").set_input_files([_payload(each) for each in files])
    page.get_by_role("button", name="Analyser les fichiers").click()


def confirm_all(page: Page) -> None:
    """Tick what must be confirmed, and apply, once the analysis is there: a click may return before its page."""
    apply = page.get_by_role("button", name="Appliquer l’import")
    apply.wait_for()
    for box in page.locator("[name=confirmations]").all():
        box.check()
    apply.click()


def wait_for_report(page: Page) -> None:
    """Wait on the page of an import, which follows its application by itself, for its report."""
    page.get_by_role("heading", name="Ce que l’import a fait").wait_for()


def _payload(file: Path | tuple[str, bytes]) -> FilePayload:
    name, content = (file.name, file.read_bytes()) if isinstance(file, Path) else file
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def _pupil(siecle_id: str) -> tuple[str, bytes]:
    text = students_xml(student(siecle_id, "", **_KNOWN), structures(siecle_id, "2MELEC"))
    return "eleves.xml", text.encode("iso-8859-15")


def _sending(*files: Path | tuple[str, bytes]) -> Act:
    return lambda site, page: deposit(page, *files)


def _late(site: Site, page: Page) -> None:
    """Deposit a file after half an hour of silence, then sign in again."""
    page.goto(IMPORTS)
    page.get_by_label("Fichiers à déposer").set_input_files([_payload(("eleves.xml", b"<x/>" * 3_000_000))])
    end_sign_in(site)
    site.forget(ADMINISTRATOR)
    page.get_by_role("button", name="Analyser les fichiers").click()
    page.wait_for_url(lambda address: "/connexion" in address)
    sign_in(page, "lovelace", "administrateur")
    page.get_by_text("« eleves.xml » n’a pas été déposé".replace("« ", "«\u202f").replace(" »", "\u202f»")).wait_for()


def _applied(site: Site, page: Page) -> None:
    deposit(page, _pupil("700001"))
    confirm_all(page)
    wait_for_report(page)


def _questions(site: Site, page: Page) -> None:
    _applied(site, page)
    deposit(page, _pupil("700002"))


def _answered(site: Site, page: Page) -> None:
    _questions(site, page)
    page.get_by_role("radio", name="La même personne").first.check()
    page.get_by_role("button", name="Enregistrer les réponses").click()


def _proposals(site: Site, page: Page) -> None:
    """Read the analysis of a file of people in which one teacher is missing, and of a doubtful pupil; tick, answer."""
    name, sts = SAMPLES[3]
    deposit(page, _pupil("700001"), (name, sts))
    confirm_all(page)
    wait_for_report(page)
    start = sts.index(b"<INDIVIDU ")
    shorter = sts[:start] + sts[sts.index(b"<INDIVIDU ", start + 1) :]
    deposit(page, _pupil("700002"), (name, shorter))
    page.get_by_role("radio", name="La même personne").first.check()
    page.locator("[name=coche]").first.check()


def _decided(site: Site, page: Page) -> None:
    """Apply it without having saved anything first."""
    _proposals(site, page)
    confirm_all(page)
    wait_for_report(page)


def _then(*steps: Callable[[Page], object]) -> Act:
    def act(site: Site, page: Page) -> None:
        deposit(page, *SAMPLES)
        for step in steps:
            step(page)

    return act


def _press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("main").get_by_role("button", name=name).first.click()


def _follow(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("main").get_by_role("link", name=name).first.click()


def _undo(site: Site, page: Page) -> None:
    _applied(site, page)
    _follow("Annuler cet import")(page)


def _undone(site: Site, page: Page) -> None:
    _undo(site, page)
    _press("Annuler cet import")(page)


def _list(site: Site, page: Page) -> None:
    _then()(site, page)
    page.goto(f"{page.url}/changements?quoi=student&recherche=noor")


def _without_siecle(site: Site, page: Page) -> None:
    """Let the second school, then complete, say that it does not use SIECLE."""
    page.goto("/admin/parametres/etablissement")
    page.locator("[name=email]").fill("contact@chatelet.example")
    page.get_by_role("button", name="Valider").click()
    page.goto("/admin/parametres/transferts")
    page.locator("[name=uses_siecle][value=non]").check()
    page.get_by_role("button", name="Valider").click()
    page.goto(IMPORTS)


def _table(site: Site, page: Page) -> None:
    _without_siecle(site, page)
    deposit(page, ("eleves.csv", "Nom de famille;Prénom;Classe\r\nOnyx;Zoé;CAP1\r\n;Personne;CAP1\r\n".encode()))


def _refused_again(site: Site, page: Page) -> None:
    _undone(site, page)
    page.goto(f"{page.url}/annuler")


def _running(site: Site, page: Page) -> None:
    """Look at an import that is being applied, a third of it done."""
    _back_to_work(site, page, heartbeat_at=utcnow(), progress_done=400, progress_total=1200)


def _interrupted(site: Site, page: Page) -> None:
    """Look at the progress of an application whose worker has given no sign for a minute."""
    _back_to_work(site, page, heartbeat_at=utcnow() - timedelta(minutes=1))


def _back_to_work(site: Site, page: Page, **values: object) -> None:
    """Apply an import, then let its job run on: no worker takes its lease back before the tests end."""
    deposit(page, _pupil("700001"))
    confirm_all(page)
    wait_for_report(page)
    run_id = int(page.url.rpartition("/")[2])
    engine = create_engine(site.platform.database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
        running = {"state": JobState.RUNNING, "exclusive_key": None, "finished_at": None, "worker": "gone"}
        job_id = connection.scalar(select(ImportRun.job_id).where(ImportRun.id == run_id))
        lease = {"lease_until": utcnow() + timedelta(days=1), **values}
        connection.execute(update(Job).where(Job.id == job_id).values(running | lease))
        connection.execute(update(ImportRun).where(ImportRun.id == run_id).values(state=RunState.APPLYING))
    engine.dispose()
    page.reload()


def _failed(site: Site, page: Page) -> None:
    """Deposit a large file of nobody, and wait until the worker has refused it."""
    deposit(page, ("eleves.xml", students_xml("<!-- personne -->\n" * 500_000).encode("iso-8859-15")))
    page.wait_for_url(re.compile(r"/admin/imports/\d+"), timeout=120_000)  # sent by the script: a reload would stop it
    again = page.get_by_role("link", name="Déposer de nouveau")
    for _ in range(900):  # three minutes, for a loaded machine
        if again.count():
            return
        page.wait_for_timeout(200)
        page.reload()


def _mixed(site: Site, page: Page) -> None:
    """Choose the diploma of a class that mixes two courses."""
    pupils = [student("710001", "", PRENOM="Lou"), student("710002", "", PRENOM="Ali", CODE_MEF="24125221299")]
    groups = [structures("710001", "MIXTE"), structures("710002", "MIXTE")]
    content = students_xml("\n".join(pupils), "\n".join(groups)).encode("iso-8859-15")
    deposit(page, ("eleves.xml", content))
    confirm_all(page)
    wait_for_report(page)
    page.goto("/admin/mefs/?diplome=non")
    _follow("Corriger")(page)
    page.locator("[name=diploma]").select_option("50025524")
    _press("Valider")(page)
    page.wait_for_url("**/details/**")
    page.goto("/admin/divisions/")
    _follow("Corriger")(page)


IMPORT_SCENES = [
    Scene("imports-gated", "administrateur@chatelet", IMPORTS),
    Scene("imports", ADMINISTRATOR, IMPORTS),
    Scene("imports-nothing", ADMINISTRATOR, IMPORTS, 422, lambda site, page: _press("Analyser les fichiers")(page)),
    Scene("imports-families", ADMINISTRATOR, IMPORTS, 422, _sending(FILES / "ResponsablesAvecAdresses.xml")),
    Scene("imports-aside", ADMINISTRATOR, IMPORTS, 200, _sending(FILES / "ResponsablesAvecAdresses.xml", *SAMPLES[:1])),
    Scene("imports-late", ADMINISTRATOR, IMPORTS, 200, _late),
    Scene("imports-analysis", ADMINISTRATOR, IMPORTS, 200, _sending(*SAMPLES)),
    Scene("imports-pending", ADMINISTRATOR, IMPORTS, 200, _then(lambda page: page.goto(IMPORTS))),
    Scene("imports-unconfirmed", ADMINISTRATOR, IMPORTS, 422, _then(_press("Appliquer l’import"))),
    Scene("imports-changes", ADMINISTRATOR, IMPORTS, 200, _then(_follow("Voir toutes les modifications"))),
    Scene("imports-changes-none", ADMINISTRATOR, IMPORTS, 200, _list),
    Scene("imports-findings", ADMINISTRATOR, IMPORTS, 200, _then(_follow("sans INE"))),
    Scene("imports-abandon", ADMINISTRATOR, IMPORTS, 200, _then(_follow("Abandonner cet import"))),
    Scene(
        "imports-abandoned",
        ADMINISTRATOR,
        IMPORTS,
        200,
        _then(_follow("Abandonner cet import"), _press("Abandonner cet import")),
    ),
    Scene("imports-report", ADMINISTRATOR, IMPORTS, 200, _applied),
    Scene("imports-questions", ADMINISTRATOR, IMPORTS, 200, _questions),
    Scene("imports-answered", ADMINISTRATOR, IMPORTS, 200, _answered),
    Scene("imports-undo", ADMINISTRATOR, IMPORTS, 200, _undo),
    Scene("imports-undone", ADMINISTRATOR, IMPORTS, 200, _undone),
    Scene("imports-undo-refused", ADMINISTRATOR, IMPORTS, 409, _refused_again),
    # from here on the pupil of the questions is known by the second number
    Scene("imports-proposals", ADMINISTRATOR, IMPORTS, 200, _proposals),
    Scene("imports-decided", ADMINISTRATOR, IMPORTS, 200, _decided),
    Scene(
        "imports-unreadable", ADMINISTRATOR, IMPORTS, 422, _sending(("eleves.xml", b"<?xml version='1.0'?><PERDU/>"))
    ),
    Scene("imports-failed", ADMINISTRATOR, IMPORTS, 200, _failed),
    Scene("imports-failed-list", ADMINISTRATOR, IMPORTS),
    Scene("imports-history", ADMINISTRATOR, HISTORY),
    Scene("imports-history-head", "chef@lovelace", HISTORY),
    Scene("imports-history-support", "support@lovelace", f"{HISTORY}details/?id=1"),
    Scene("imports-changes-support", "support@lovelace", f"{IMPORTS}/1/changements"),
    Scene("imports-denied", "chef@lovelace", IMPORTS, 403),
    Scene("imports-unknown", ADMINISTRATOR, f"{IMPORTS}/9999", 404),
    Scene("imports-without-siecle", "administrateur@chatelet", IMPORTS, 200, _without_siecle),
    Scene("imports-table", "administrateur@chatelet", IMPORTS, 200, _table),
    Scene("division-mixed", ADMINISTRATOR, IMPORTS, 200, _mixed),
    # each leaves an import that never ends: nothing is applied after them
    Scene("imports-running", ADMINISTRATOR, IMPORTS, 200, _running),
    Scene("imports-interrupted", ADMINISTRATOR, IMPORTS, 200, _interrupted),
    Scene("help-imports", ADMINISTRATOR, "/aide/imports"),
]
