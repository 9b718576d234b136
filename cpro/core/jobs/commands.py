"""Command line: the worker, the jobs, and running the nightly tasks manually."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, print_table, sentences
from cpro.core.database_revision import OldDatabase, check_revision
from cpro.core.database_roles import UnsafeRole, check_serving_role
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import format_instant
from cpro.core.jobs import operations
from cpro.core.jobs.handlers import get_handler, list_periodic
from cpro.core.jobs.models import Job, JobState
from cpro.core.parsing import LARGEST_ID
from cpro.core.server_key import claim_key
from cpro.core.store import prepare_store_if_possible
from cpro.core.transactions import platform_unit_of_work

jobs = AppGroup("jobs", help="Traitements longs et tâches de la nuit.")

_PAUSE = 1  # seconds between two checks of a job taken by another process


@click.command("worker", help="Faire les traitements longs (imports, tâches de la nuit) jusqu’à SIGTERM ou Ctrl+C.")
@click.option("--child", is_flag=True, help="S’arrêter quand l’entrée standard se ferme.")
@with_appcontext
@sentences
def worker(child: bool) -> None:
    """Run jobs until SIGTERM or Ctrl+C; as a child, also until the parent process ends."""
    from cpro.core.jobs.worker import run_worker

    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the worker's threads need the application
    try:
        check_serving_role()
        check_revision()
    except (UnsafeRole, OldDatabase) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    claim_key(now=clock.utcnow())
    prepare_store_if_possible()
    if not child:
        click.echo("Le traitement des tâches est démarré ; Ctrl+C pour arrêter.")
    run_worker(app, is_child=child)


@jobs.command("list", help="Lister les derniers traitements, le plus récent d’abord.")
@click.option(
    "--state", type=click.Choice([state.value for state in JobState]), help="Seulement ceux qui sont dans cet état."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Combien au plus.")
@sentences
def list_jobs(state: str | None, limit: int) -> None:
    """Print the last jobs: number, state, kind, school, creation time, attempts, and the reason of a failure."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if state:
        query = query.where(Job.state == JobState(state))
    with tenancy.platform_session("command line: listing jobs") as session:
        rows = [
            (
                job.id,
                job.state.label,
                job.kind,
                job.establishment_id,
                format_instant(job.created_at, ""),
                job.attempts,
                job.error,
            )
            for job in session.scalars(query)
        ]
    print_table(("numéro", "état", "traitement", "établissement", "demandé le", "essais", "cause"), rows)


@jobs.command("retry", help="Remettre en attente un traitement qui a échoué ou qui a été annulé.")
@click.argument("number", type=click.IntRange(1, LARGEST_ID), metavar="NUMÉRO")
@sentences
def retry(number: int) -> None:
    """Put a failed or cancelled job back in the queue."""
    with _job(number) as (work, job):
        operations.retry(job, session=work)
    click.echo(f"Le traitement {number} attend de nouveau.")


@jobs.command("cancel", help="Annuler un traitement : aussitôt s’il attend, à sa prochaine étape s’il est en cours.")
@click.argument("number", type=click.IntRange(1, LARGEST_ID), metavar="NUMÉRO")
@sentences
def cancel(number: int) -> None:
    """Cancel a job, at once or at its next heartbeat. Raises `DomainError` if it is finished."""
    with _job(number) as (_work, job):
        if job.state.is_finished:
            raise DomainError(f"Le traitement {number} est terminé : il ne peut plus être annulé.")
        was_waiting = job.state is JobState.WAITING
        operations.cancel(job, now=clock.utcnow())
    click.echo(f"Le traitement {number} est annulé." if was_waiting else f"L’arrêt du traitement {number} est demandé.")


@contextmanager
def _job(number: int) -> Iterator[tuple[Session, Job]]:
    """Yield a job, locked, and its session, in a platform unit of work. Raises `NotFound`."""
    with platform_unit_of_work("command line: a job") as work:
        job = work.session.get(Job, number, with_for_update=True)
        if job is None:
            raise NotFound(f"Aucun traitement ne porte le numéro {number}.")
        yield work.session, job


@jobs.command("run", help="Faire maintenant une tâche périodique, celle de TÂCHE (imports:sweep…).")
@click.argument("kind", metavar="TÂCHE")
@sentences
def run(kind: str) -> None:
    """Run a periodic kind of job now, whatever the time, and print its summary. Raises `NotFound`."""
    known = [handler.kind for handler in list_periodic()]
    if kind not in known:
        raise NotFound(f"«\u202f{kind}\u202f» n’est pas une tâche périodique. Ce sont\u202f: {', '.join(known)}.")
    click.echo(do_now(kind))


def make_task_command(name: str, kind: str) -> click.Command:
    """Return the command that runs a nightly kind of job now and prints its summary."""

    @with_appcontext
    @sentences
    def run() -> None:
        click.echo(do_now(kind))

    return click.Command(name, callback=run, help=f"{get_handler(kind).label} (fait aussi chaque nuit).")


def do_now(kind: str) -> str:
    """Run a nightly kind of job in this process, whatever the time; return its summary, in a sentence.

    If a worker is running the same kind, wait for it first. Raises `DomainError` when the job fails.
    """
    from cpro.core.jobs.runner import Runner

    with platform_unit_of_work("command line: a nightly task") as work:
        number = operations.enqueue(kind, by=COMMAND_LINE, now=clock.utcnow(), session=work.session).id
    runner = Runner(current_app._get_current_object(), threading.Event())  # type: ignore[attr-defined]
    while True:
        runner.do(number)
        with tenancy.platform_session("command line: a nightly task") as session:
            job = session.get_one(Job, number)
            if job.state.is_finished:
                break
        time.sleep(_PAUSE)
    if job.state is not JobState.DONE:
        raise DomainError(job.error or "Cette tâche a été annulée.")
    return get_handler(kind).summary(job.result or {})
