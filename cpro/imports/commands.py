"""Command line: import SIECLE's files into a school, and undo the last import."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, sentences
from cpro.core.errors import DomainError
from cpro.core.formatting import format_count
from cpro.core.transactions import unit_of_work
from cpro.imports.apply import reversal
from cpro.imports.apply.application import apply_now
from cpro.imports.diff.confirmations import CONFIRM_DEACTIVATIONS, CONFIRM_YEAR
from cpro.imports.diff.sources import Sources
from cpro.imports.errors import ConfirmationMissing
from cpro.imports.models import RunState
from cpro.imports.queries import get_run
from cpro.imports.runs.deposits import analyse, foresee, receive
from cpro.imports.runs.lifecycle import close_run
from cpro.imports.summaries import get_figures
from cpro.users.queries import get_named_establishment

imports = AppGroup("imports", help="Imports des établissements.")

_LABELS = {
    "created": "à créer",
    "changed": "à modifier",
    "deactivated": "à désactiver",
    "reactivated": "à réactiver",
    "unchanged": "inchangés",
    "refused": "refusés",
    "to_confirm": "à confirmer",
    "without_ine": "sans INE",
}


@imports.command(
    "siecle", help="Analyser des fichiers de SIECLE et de STS-Web ; avec --apply, écrire ce qu’ils changent."
)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@click.option("--apply", "is_applied", is_flag=True, help="Écrire ; sans cette option, rien n’est écrit.")
@click.option("--confirm-deactivations", is_flag=True, help="Accepter que beaucoup d’élèves soient désactivés.")
@click.option("--confirm-year", is_flag=True, help="Accepter des fichiers d’une autre année scolaire.")
@click.option("--open-student-accounts", is_flag=True, help="Ouvrir un compte à chaque élève présent qui n’en a pas.")
@click.option("--json", "as_json", is_flag=True, help="Afficher le rapport en JSON.")
@sentences
def siecle(
    files: tuple[Path, ...],
    establishment: str,
    is_applied: bool,
    confirm_deactivations: bool,
    confirm_year: bool,
    open_student_accounts: bool,
    as_json: bool,
) -> None:
    """Analyse SIECLE's and STS-Web's files, or tables of a school without SIECLE, and write changes with --apply.

    The analysis alone never fails on what it finds: it prints which confirmations the application will require. With
    --apply, a missing confirmation ends the command with status 1, and nothing is written.
    """
    _enter(establishment)
    given = [CONFIRM_DEACTIVATIONS] * confirm_deactivations + [CONFIRM_YEAR] * confirm_year
    with receive([(path.name, path) for path in files], now=clock.utcnow()) as sources:
        for left in sources.left:
            click.echo(f"Fichier laissé de côté. {left.sentence}", err=True)
        report = _apply(sources, given, open_student_accounts) if is_applied else _foresee(sources, given)
    click.echo(json.dumps(report, ensure_ascii=False, indent=2) if as_json else _in_words(report))


@imports.command("undo", help="Annuler le dernier import appliqué, dans les sept jours.")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def undo(establishment: str) -> None:
    """Undo the last import applied, within seven days, unless what it wrote was worked on since."""
    _enter(establishment)
    label = reversal.undo(by=COMMAND_LINE, clock=clock.utcnow)
    click.echo(f"{label} : annulé.")


def _enter(establishment: str) -> None:
    """Open the session on the school with that code or UAI, or raise `NotFound`."""
    with tenancy.platform_session("command line: the school is named by its code") as lookup:
        school_id = get_named_establishment(lookup, establishment).id
    tenancy.enter(tenancy.Scope(school_id, reason="command line: an import"))


def _foresee(sources: Sources, given: Sequence[str]) -> dict[str, Any]:
    analysis = foresee(sources, now=clock.utcnow())
    missing = [each["sentence"] for each in analysis.confirmations_needed if each["key"] not in given]
    return {"applied": False, **analysis.counts, "confirmations_needed": missing}


def _apply(sources: Sources, given: Sequence[str], opens_accounts: bool) -> dict[str, Any]:
    """Analyse, then write; a refused import is not left waiting for a confirmation on a page."""
    now = clock.utcnow()
    run_id = analyse(sources, opens_student_accounts=opens_accounts, by=COMMAND_LINE, now=now)
    try:
        counts = apply_now(run_id, confirmations=given, by=COMMAND_LINE, clock=clock.utcnow)
    except DomainError as refusal:
        with unit_of_work(school_first=False):
            run = get_run(run_id)
            missing = [each["key"] for each in run.confirmations_needed if each["key"] not in given]
            if run.state is RunState.ANALYSED:
                close_run(run, RunState.FAILED)
        if isinstance(refusal, ConfirmationMissing):
            options = " ".join(f"--confirm-{key}" for key in missing)
            raise ConfirmationMissing(f"{refusal.message} Rien n’a été écrit ; option : {options}.") from None
        raise
    return {"applied": True, **counts, "run": run_id}


def _in_words(report: Mapping[str, Any]) -> str:
    lines = []
    for family, label in (("students", "Élèves"), ("staff", "Personnels")):
        figures = ", ".join(
            f"{_LABELS[name]} {format_count(number)}" for name, number in get_figures(report, family).items()
        )
        lines.append(f"{label} : {figures}.")
    if report.get("accounts_opened"):
        lines.append(f"Comptes d’élèves ouverts : {format_count(report['accounts_opened'])}.")
    lines += report.get("confirmations_needed", [])
    lines.append("L’import est appliqué." if report["applied"] else "Analyse seule : rien n’a été écrit.")
    return "\n".join(lines)
