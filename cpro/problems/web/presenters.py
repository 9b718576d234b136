"""Describe who reads the problems, and the state of one."""

from __future__ import annotations

from cpro.core.formatting import format_instant
from cpro.problems.models import Problem

_TEAM = "L’équipe qui administre CPro"


def describe_readers(*, is_read: bool, is_mailed: bool, has_news: bool) -> str:
    """Return who reads the message, whether it is also mailed, and how its author will hear of it."""
    if not is_read and not is_mailed:
        return (
            "Personne ne le lit encore\u202f: cette plateforme n’a ni compte de support ni adresse à laquelle écrire."
        )
    if not is_read:
        return f"{_TEAM} le reçoit par courriel."
    mailed = " et le reçoit aussi par courriel" if is_mailed else "\u202f; aucun courriel ne lui est envoyé"
    answer = " Vos nouveautés vous diront quand il aura été traité." if has_news else ""
    return f"{_TEAM} le lit sur CPro{mailed}.{answer}"


def describe_whom_to_notify(*, leads_school: bool) -> str:
    """Return whom else to notify of a problem when it is not mailed, depending on the reader's role."""
    if leads_school:
        return "à la personne ou au service qui a ouvert CPro à votre établissement, ou qui l’héberge"
    return "à l’administrateur de votre établissement\u202f: ce qu’il ne peut régler, il le transmet à qui héberge CPro"


def describe_own(problem: Problem, timezone: str) -> tuple[str, str, str]:
    """Return what a problem's author may read about it: its label, its date, its state."""
    is_over = problem.handled_at is not None
    became = f"traité le {format_instant(problem.handled_at, timezone)}" if is_over else "à traiter"
    return problem.label, format_instant(problem.at, timezone), became
