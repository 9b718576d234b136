"""Sentences about a job not started yet: what it waits for, given the workers and the queue."""

from __future__ import annotations

from datetime import datetime

from cpro.core import tenancy
from cpro.core.formatting import describe_age, describe_duration, plural
from cpro.core.jobs.handlers import find_handler
from cpro.core.jobs.models import Job
from cpro.core.jobs.queries import Queue, read_queue


def describe_wait(job: Job, now: datetime) -> str:
    """Return why a waiting job has not started, `now` on the database's clock."""
    if job.not_before and job.not_before > now:
        return f"Le traitement reprendra dans {describe_duration(job.not_before - now, in_seconds_below=60)}."
    with tenancy.platform_session("page of a job: what it waits for") as session:
        queue = read_queue(session, job, now=now)
    return _describe_workers(queue, now) or _describe_rival(job, queue.rival) or _describe_queue(queue)


def _describe_workers(queue: Queue, now: datetime) -> str:
    if queue.workers:
        return ""
    since = f" depuis {describe_age(now - queue.seen_at)}" if queue.seen_at else ""
    return (
        f"Aucun service de traitement n’est en marche{since}\u202f: le traitement commencera dès qu’il y en aura un. "
        "Si cela dure, prévenez l’équipe qui administre CPro. Rien n’est perdu."
    )


def _describe_rival(job: Job, kind: str) -> str:
    if not kind:
        return ""
    handler = find_handler(kind)
    name = f" («\u202f{handler.label}\u202f»)" if handler else ""
    where = "de votre établissement" if job.establishment_id else "de la plateforme"
    return f"Un autre traitement {where} est en cours{name}\u202f: celui-ci commencera quand il sera terminé."


def _describe_queue(queue: Queue) -> str:
    if queue.ahead:
        before = plural(queue.ahead, "traitement demandé", "traitements demandés")
        verb = "passe" if queue.ahead == 1 else "passent"
        return f"{before} avant celui-ci {verb} d’abord, tous établissements confondus."
    if queue.running >= queue.workers:
        return "Le serveur est occupé par un autre traitement\u202f: celui-ci est le prochain."
    return "Le traitement va commencer dans quelques secondes."
