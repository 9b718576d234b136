"""Sentences about a job that has gone silent, before its lease expires.

A killed worker's job restarts by itself, after its lease and the next housekeeping: the page says so at once, and
that nothing is lost, instead of « en cours ».
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cpro.core.formatting import describe_age, plural
from cpro.core.jobs.models import Job, JobState

#: Handlers send a heartbeat every second or so, except while writing, which is longer only for very large imports.
SILENT_AFTER = timedelta(seconds=45)
#: Housekeeping takes jobs back every minute; after two, no worker is running it.
_ROUNDS = timedelta(minutes=2)
_SAFE = "Rien n’est perdu, et rien ne reste écrit à moitié."


def describe_interruption(job: Job, now: datetime) -> str:
    """Return the sentence about a job that was, or seems, interrupted; "" otherwise."""
    if job.state is JobState.WAITING and job.attempts:
        return f"Le traitement s’est interrompu avant la fin ; il va reprendre de lui-même. {_SAFE}"
    if job.state is not JobState.RUNNING or job.heartbeat_at is None or job.lease_until is None:
        return ""
    silence = now - job.heartbeat_at
    if silence < SILENT_AFTER:
        return ""
    silent = f"Aucun signe de vie depuis {describe_age(silence)} : le traitement semble interrompu."
    if now > job.lease_until + _ROUNDS:
        return (
            f"{silent} Il reprendra de lui-même dès que le service des traitements sera de nouveau en marche ; si cela "
            f"dure, prévenez l’équipe qui administre CPro. {_SAFE}"
        )
    minutes = max(0, -((now - job.lease_until) // timedelta(minutes=1))) + 1
    return f"{silent} S’il l’est, il reprendra de lui-même d’ici {plural(minutes, 'minute', 'minutes')}. {_SAFE}"
