"""Time the passports of a division against their floor: `python -m bench.passport [pupils]`.

The floor is the time Typst takes for the same pages from ready-made JSON. Each action runs in a process of its own,
whose peak memory is shown, on one SQLite database; ours reads the records, renders, writes the ZIP, the issues and the
journal.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.figures import Figure, tell
from cpro import create_app
from cpro.core import tenancy
from cpro.core.bulk_writes import bulk_insert
from cpro.core.documents import PROJECT_ROOT
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.models import Establishment
from cpro.passport import queries
from cpro.passport.archives import write_archive
from cpro.passport.letterhead import Letterhead
from cpro.passport.operations import issue_division
from cpro.passport.pdf import TEMPLATE, build_pdf_data
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import Diploma, Division, Student
from cpro.students.queries import get_division

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
BENCH = Actor("system", None, "Bench", "system", "bench")
FICHES, EVALUATIONS, BILANS = 20, 60, 3
TEXT = "<p>" + "Le client a demandé une extension de son installation, que l’apprenant a préparée. " * 6 + "</p>"
LETTERHEAD = Letterhead(
    name="Lycée du banc d’essai",
    uai="0999001W",
    email="contact@bench.example",
    address=("1 rue des Essais", "95000 Exempleville"),
    city="Exempleville",
    timezone="Europe/Paris",
    signatory_name="Claude Basalte",
    signatory_function="Proviseur",
    check_url="https://cpro.example/verifier",
)


def measure(folder: Path, what: str, pupils: int) -> dict[str, float]:
    """Return CPU seconds, pages and megabytes of one action on the database in the folder."""
    if what == "floor":
        seconds, pages = _typst_alone(folder, pupils)
    else:
        app = create_app(
            {
                "CPRO_INSTANCE": folder,
                "CPRO_UPLOADS": folder,
                "SECRET_KEY": "bench",  # pragma: allowlist secret
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/bench.sqlite3",
            }
        )
        with app.app_context():
            if what == "prepare":
                return _prepare(pupils)
            tenancy.enter(tenancy.Scope(1))
            if what == "json":
                return _write_json(folder, pupils)
            seconds, pages = _ours(folder, pupils)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "pages": pages, "megabytes": peak}


def _ours(folder: Path, pupils: int) -> tuple[float, int]:
    start = time.process_time()
    with (folder / "passports.zip").open("w+b") as stream:
        passports = write_archive(stream, queries.list_pupils_present(1)[:pupils], LETTERHEAD, now=NOW)
    with unit_of_work():
        issue_division(passports, get_division(1), by=BENCH, now=NOW)
    return time.process_time() - start, sum(each.page_count for each in passports)


def _typst_alone(folder: Path, pupils: int) -> tuple[float, int]:
    import typst

    fonts = typst.Fonts(include_system_fonts=False)
    main, pages = folder / "main.typ", 0
    main.write_bytes((PROJECT_ROOT / "templates" / TEMPLATE).read_bytes())
    (folder / "shared").mkdir(exist_ok=True)
    for shared in (PROJECT_ROOT / "templates" / "shared").glob("*.typ"):
        (folder / "shared" / shared.name).write_bytes(shared.read_bytes())
    start = time.process_time()
    for number in range(pupils):
        data = (folder / f"{number}.json").read_text()
        compiler = typst.Compiler(str(main), root=str(folder), font_paths=fonts, sys_inputs={"data": data})
        compiler.compile(format="pdf", pdf_standards=["ua-1"])
        pages += int(compiler.query("<pages>", field="value", one=True))
    return time.process_time() - start, pages


def _write_json(folder: Path, pupils: int) -> dict[str, float]:
    for number, student_id in enumerate(queries.list_pupils_present(1)[:pupils]):
        [portfolio] = queries.list_portfolios(queries.list_pupils([student_id]))
        data = build_pdf_data(portfolio, LETTERHEAD, code="ABCDEFGHJKMNPQRS", now=NOW)
        (folder / f"{number}.json").write_text(json.dumps(data, ensure_ascii=False))
    return {}


def _prepare(pupils: int) -> dict[str, float]:
    from flask_migrate import upgrade

    upgrade()
    with platform_unit_of_work("bench") as work:
        school = Establishment(code="bench", name="Bench", uai="0999001W", email="a@bench.example", created_at=NOW)
        diploma = Diploma(code="BENCH", label="Diplôme du banc d’essai", short_label="Diplôme")
        work.session.add_all([school, diploma])
        work.session.flush()
        work.session.add(Division(establishment_id=school.id, code="BENCH", diploma_id=diploma.id))
    tenancy.enter(tenancy.Scope(1))
    with unit_of_work() as work:
        bulk_insert(work.session, Student, (_student(number) for number in range(pupils)))
        ids = list(work.session.scalars(select(Student.id).order_by(Student.id)))
        for start in range(0, pupils, 50):
            some = ids[start : start + 50]
            bulk_insert(work.session, Fiche, [_fiche(id, rank) for id in some for rank in range(FICHES)])
            bulk_insert(work.session, Evaluation, [_evaluation(id, rank) for id in some for rank in range(EVALUATIONS)])
            bulk_insert(work.session, Bilan, [_bilan(id, rank) for id in some for rank in range(BILANS)])
    return {}


def _student(number: int) -> dict[str, Any]:
    name = f"Élève{number:04}"
    return {
        "last_name": name,
        "first_name": "Zoé",
        "birth_date": date(2009, 1, 31),
        "division_id": 1,
        "is_active": True,
        "search_key": name.lower(),
        "created_at": NOW,
    }


def _shared(student_id: int, kind: str, rank: int) -> dict[str, Any]:
    return {
        "student_id": student_id,
        "origin_uid": f"{kind}-{student_id}-{rank}",
        "author_label": "Inès Quartz",
        "created_at": NOW,
        "changed_at": NOW,
        "origin_school": "",
    }


def _fiche(student_id: int, rank: int) -> dict[str, Any]:
    first = date(2025, 9, 1) + timedelta(days=10 * rank)
    return {
        **_shared(student_id, "fiche", rank),
        "title": f"Situation {rank} de l’apprenant {student_id}",
        "place": Place.COMPANY if rank % 2 else Place.SCHOOL,
        "place_name": "Société d’essai",
        "starts_on": first,
        "ends_on": first + timedelta(days=4),
        "tasks": TEXT,
        "state": FicheState.VALIDATED,
        "validated_at": NOW,
        "validated_by_label": "Inès Quartz",
    }


def _evaluation(student_id: int, rank: int) -> dict[str, Any]:
    return {
        **_shared(student_id, "evaluation", rank),
        "competence_code": f"C{rank % 13 + 1}",
        "competence_label": "Analyser les conditions de l’opération et son contexte",
        "diploma_code": "BENCH",
        "diploma_label": "Diplôme",
        "level": (student_id + rank) % 4 + 1,
        "evaluated_on": date(2025, 9, 1) + timedelta(days=5 * rank),
        "scenario_title": f"Scénario {rank % 7}",
        "fiche_uid": f"fiche-{student_id}-{rank % FICHES}",
    }


def _bilan(student_id: int, rank: int) -> dict[str, Any]:
    first = date(2025, 9, 1) + timedelta(days=90 * rank)
    return {
        **_shared(student_id, "bilan", rank),
        "starts_on": first,
        "ends_on": first + timedelta(days=89),
        "body": TEXT,
    }


def alone(folder: Path, what: str, pupils: int) -> dict[str, float]:
    """Measure an action in a process of its own."""
    command = [sys.executable, "-m", "bench.passport", "measure", str(folder), what, str(pupils)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(json.loads(output.splitlines()[-1]))


def main() -> None:
    """Print the ratio to the floor and the memory peaks, for 500 pupils or for the given number."""
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
        return
    pupils = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone(folder, "prepare", pupils)
        alone(folder, "json", pupils)
        small = alone(folder, "ours", max(1, pupils // 10))
        floor, ours = alone(folder, "floor", pupils), alone(folder, "ours", pupils)
    print(f"{pupils} pupils, {FICHES} fiches and {EVALUATIONS} évaluations each: {ours['pages']:.0f} pages")
    print(f"  Typst alone {floor['seconds']:.1f} s, peak {floor['megabytes']:.0f} MB ({floor['pages']:.0f} pages)")
    print(f"  ours {ours['seconds']:.1f} s, {ours['seconds'] / floor['seconds']:.2f} × the floor")
    print(f"  peak {small['megabytes']:.0f} MB for a tenth, {ours['megabytes']:.0f} MB for all")
    label = f"passports of {pupils} pupils"
    tell(Figure(label, "s", ours["seconds"], floor=floor["seconds"]))
    tell(Figure(f"{label}, peak memory", "MB", ours["megabytes"]))


if __name__ == "__main__":
    main()
