"""Which function does the jobs of a kind, and which kinds are done by themselves, once per period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from cpro.core.formatting import DEFAULT_TIMEZONE

if TYPE_CHECKING:
    from cpro.core.jobs.models import Job
    from cpro.core.permissions import Principal

Function = TypeVar("Function", bound=Callable[..., dict[str, Any] | None])

#: A worker silent for longer is taken for dead.
LEASE = timedelta(minutes=3)
#: A job whose worker died this often does not come back: it may be what kills them.
ATTEMPTS = 3
#: When people sleep, on the clocks of mainland France.
_NIGHT_HOUR = 3


@dataclass(frozen=True)
class Report:
    """Where a finished job leads: a page of this site and its arguments, and what the link to it says."""

    endpoint: str
    label: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Handler:
    """How jobs of one kind are done."""

    kind: str
    run: Callable[..., dict[str, Any] | None]
    #: what it does, as the title of its page
    label: str
    #: what a finished one did, in a sentence with its figures, from its result
    summary: Callable[[Mapping[str, Any]], str]
    #: the link at the end of its page, for the person who looks
    report: Callable[[Job, Principal], Report | None] | None = None
    #: no two running jobs of one school share it
    exclusive: str | None = None
    lease: timedelta = LEASE
    attempts: int = ATTEMPTS
    #: for periodic kinds: the period due at an instant, or None before its hour
    period: Callable[[datetime], str | None] | None = None


_handlers: dict[str, Handler] = {}


def job(
    kind: str,
    *,
    label: str,
    summary: Callable[[Mapping[str, Any]], str],
    report: Callable[[Job, Principal], Report | None] | None = None,
    exclusive: str | None = None,
    lease: timedelta = LEASE,
    attempts: int = ATTEMPTS,
) -> Callable[[Function], Function]:
    """Make a function `(context, **arguments)` the handler of a kind of job.

    It must bear being run again after being killed anywhere, and call `context.progress` or `context.heartbeat` more
    often than its lease. What it returns, small and JSON, is kept as the result. A `DomainError` fails the job with
    its sentence, anything else with a neutral one. `summary` describes that result in a sentence, the last of its page.
    """

    def mark(function: Function) -> Function:
        _add(Handler(kind, function, label, summary, report, exclusive, lease, attempts))
        return function

    return mark


def nightly(kind: str, *, label: str, summary: Callable[[Mapping[str, Any]], str]) -> Callable[[Function], Function]:
    """Make a function `(context)` the handler of a platform job done each night, or at the first start after it."""

    def period(now: datetime) -> str | None:
        local = now.astimezone(ZoneInfo(DEFAULT_TIMEZONE))
        return local.date().isoformat() if local.hour >= _NIGHT_HOUR else None

    return _periodic(kind, label, summary, period)


def every(
    minutes: int, kind: str, *, label: str, summary: Callable[[Mapping[str, Any]], str]
) -> Callable[[Function], Function]:
    """Make a function `(context)` the handler of a platform job done every so many minutes."""

    def period(now: datetime) -> str | None:
        return f"{floor(now.timestamp()) // (minutes * 60)}/{minutes}"

    return _periodic(kind, label, summary, period)


def _periodic(
    kind: str, label: str, summary: Callable[[Mapping[str, Any]], str], period: Callable[[datetime], str | None]
) -> Callable[[Function], Function]:
    def mark(function: Function) -> Function:
        _add(Handler(kind, function, label, summary, exclusive=kind, period=period))
        return function

    return mark


def _add(handler: Handler) -> None:
    known = _handlers.setdefault(handler.kind, handler)
    if known.run is not handler.run:
        raise RuntimeError(f"two handlers for {handler.kind}: {known.run.__module__}, {handler.run.__module__}")


def find_handler(kind: str) -> Handler | None:
    """Return the handler of a kind, or None: the row may come from another version of the program."""
    return _handlers.get(kind)


def get_handler(kind: str) -> Handler:
    """Return the handler of a kind. Raises `LookupError`."""
    handler = _handlers.get(kind)
    if handler is None:
        raise LookupError(f"no handler for {kind}: import its module in the register(app) of its feature")
    return handler


def list_kinds() -> list[str]:
    """Return the kinds this program can do."""
    return sorted(_handlers)


def list_periodic() -> list[Handler]:
    """Return the handlers whose jobs come by themselves."""
    return [handler for _kind, handler in sorted(_handlers.items()) if handler.period]
