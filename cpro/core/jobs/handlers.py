"""Register the handler of each kind of job, and which kinds run periodically."""

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

#: A worker silent for longer is considered dead.
LEASE = timedelta(minutes=3)
#: Maximum attempts when workers die: the job itself may be what kills them.
ATTEMPTS = 3
#: When users sleep, in the time zone of mainland France.
_NIGHT_HOUR = 3


@dataclass(frozen=True)
class Report:
    """The page a finished job leads to: its endpoint and arguments, and the label of the link."""

    endpoint: str
    label: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Handler:
    """How jobs of one kind are run."""

    kind: str
    run: Callable[..., dict[str, Any] | None]
    #: its description, used as the title of the job's page
    label: str
    #: summarises the result of a finished job, in a sentence with its figures
    summary: Callable[[Mapping[str, Any]], str]
    #: the link at the end of its page, for the user who views it
    report: Callable[[Job, Principal], Report | None] | None = None
    #: two jobs of one school with the same value never run at the same time
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

    It must be safe to run again after being killed anywhere, and must call `context.progress` or `context.heartbeat`
    more often than its lease. Its return value, small and JSON-serialisable, is stored as the result. A
    `DomainError` fails the job with its sentence, any other exception with a neutral one. `summary` describes the
    result in a sentence, the last of its page.
    """

    def mark(function: Function) -> Function:
        _add(Handler(kind, function, label, summary, report, exclusive, lease, attempts))
        return function

    return mark


def nightly(kind: str, *, label: str, summary: Callable[[Mapping[str, Any]], str]) -> Callable[[Function], Function]:
    """Make a function `(context)` the handler of a platform job run each night, or at the first start after it."""

    def period(now: datetime) -> str | None:
        local = now.astimezone(ZoneInfo(DEFAULT_TIMEZONE))
        return local.date().isoformat() if local.hour >= _NIGHT_HOUR else None

    return _periodic(kind, label, summary, period)


def every(
    minutes: int, kind: str, *, label: str, summary: Callable[[Mapping[str, Any]], str]
) -> Callable[[Function], Function]:
    """Make a function `(context)` the handler of a platform job run every `minutes` minutes."""

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
    """Return the kinds that this program can run."""
    return sorted(_handlers)


def list_periodic() -> list[Handler]:
    """Return the handlers of periodic jobs."""
    return [handler for _kind, handler in sorted(_handlers.items()) if handler.period]
