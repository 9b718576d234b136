"""Write dates, numbers and names in French, for every screen and document.

Pure functions: the time zone and the instant are arguments, and nothing here depends on the current school.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

#: Used when a school's time zone is blank.
DEFAULT_TIMEZONE = "Europe/Paris"

NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"

_GAP = r"[ \u00a0\u202f._-]?"
#: An INE of any school (core.validators.ine_kind): nine or ten digits, an A among those of an apprentice, then one or
#: two letters; people type it with spaces or hyphens, in either case, and join it to other words by « _ » in the names
#: of files.
_INE = re.compile(rf"(?<![^\W_])(?:\d{_GAP}){{4}}[0-9Aa](?:{_GAP}\d){{4}}{_GAP}[0-9A-Za-z]{_GAP}[A-Za-z](?![^\W_])")

#: The first words of schools' names, and their article.
_SCHOOL_ARTICLES = {
    **dict.fromkeys(("lycée", "lycee", "collège", "college", "centre", "campus", "cfa", "greta", "lp", "lpo"), "le"),
    **dict.fromkeys(("section", "cité", "maison"), "la"),
    **dict.fromkeys(("école", "ecole", "institut", "erea", "externat", "ensemble", "établissement"), "l’"),
}
_ACRONYMS = frozenset({"cfa", "greta", "lp", "lpo", "erea"})

#: The feminine nouns, in the singular, that field labels begin with; all others are masculine.
FEMININE_LABELS = frozenset(
    {
        *("académie", "action", "adresse", "année", "civilité", "co-intervention", "conservation", "consultation"),
        *("date", "discipline", "division", "évaluation", "fiche", "fonction", "formation", "image", "naissance"),
        *("nature", "origine", "page", "personne", "provenance", "raison", "référence", "situation", "ville"),
    }
)
_BEFORE_A_NOUN = frozenset({"autre", "ancien", "ancienne"})
_SINGULAR_IN_S = frozenset({"accès", "dreets", "sens"})

_SIZE_UNITS = ("o", "ko", "Mo", "Go")


class MoreThan(int):
    """A bounded count: there are more. Written « plus de 10 000 », as is any sum that includes one."""

    def __add__(self, other: int) -> MoreThan:
        """Return the sum, still bounded."""
        return MoreThan(super().__add__(other))

    __radd__ = __add__


def format_date(day: dt.date | None) -> str:
    """Return the day as jj/mm/aaaa, or "" for None. Raises TypeError for an instant: see `format_day_of`."""
    if isinstance(day, dt.datetime):
        raise TypeError("the day of an instant depends on the time zone: use format_day_of")
    return "" if day is None else f"{day.day:02}/{day.month:02}/{day.year:04}"


def format_school_year(year: int) -> str:
    """Return the school year that starts in a calendar year as « 2026-2027 »."""
    return f"{year}-{year + 1}"


def upper_first(text: str) -> str:
    """Return a text with a capital first letter, for the beginning of a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def lower_first(text: str) -> str:
    """Return a label in lower case, for use inside a sentence: « code MEF », « du »; « UAI » is unchanged."""
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def format_time(time: dt.time | dt.datetime) -> str:
    """Return the time as « 14 h 30 », with no-break spaces."""
    return f"{time.hour}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{time.minute:02}"


def format_instant(instant: dt.datetime | None, timezone_name: str) -> str:
    """Return the instant as « 23/11/2026 à 14 h 30 », in that IANA time zone (Paris when the name is blank).

    Returns "" for None. Raises ValueError for a naive instant, whose meaning would be a guess.
    """
    if instant is None:
        return ""
    local = _on_clocks_of(timezone_name, instant)
    return f"{format_date(local.date())} à {format_time(local)}"


def format_day_of(instant: dt.datetime | None, timezone_name: str) -> str:
    """Return the day of an instant as jj/mm/aaaa, in that IANA time zone; see `format_instant`."""
    return "" if instant is None else format_date(_on_clocks_of(timezone_name, instant).date())


def format_hour(instant: dt.datetime, timezone_name: str) -> str:
    """Return the time of an instant as « 14 h 30 », in that IANA time zone; see `format_instant`."""
    return format_time(_on_clocks_of(timezone_name, instant))


def _on_clocks_of(timezone_name: str, instant: dt.datetime) -> dt.datetime:
    if instant.utcoffset() is None:
        raise ValueError("an instant is written from an aware one; instants are stored in UTC")
    return instant.astimezone(ZoneInfo(timezone_name or DEFAULT_TIMEZONE))


def format_count(number: int) -> str:
    """Return the number with thousands separators: « 1 234 », with a narrow no-break space; see also `MoreThan`."""
    digits = f"{number:,}".replace(",", NARROW_NO_BREAK_SPACE)
    return f"plus de {digits}" if isinstance(number, MoreThan) else digits


def plural(number: int, singular_form: str, plural_form: str) -> str:
    """Return the number and its noun, which in French is singular below two: « 0 apprenant », « 118 apprenants »."""
    return f"{format_count(number)} {singular_form if abs(number) < 2 else plural_form}"


def describe_age(length: dt.timedelta) -> str:
    """Return how long ago something was: a duration, in minutes from one minute on."""
    return describe_duration(length, in_seconds_below=60)


def describe_duration(length: dt.timedelta, *, in_seconds_below: int = 120) -> str:
    """Return a duration in words: « 12 secondes », « 3 minutes », « 5 heures », « 2 jours »."""
    seconds = max(1, round(length.total_seconds()))
    if seconds < in_seconds_below:
        return plural(seconds, "seconde", "secondes")
    minutes = round(seconds / 60)
    if minutes < 120:
        return plural(minutes, "minute", "minutes")
    hours = round(minutes / 60)
    return plural(hours, "heure", "heures") if hours < 48 else plural(round(hours / 24), "jour", "jours")


def describe_change(number: int, before: int, than: str) -> str:
    """Return how a figure changed: « , 3 de plus que la semaine d’avant »; "" when either count is bounded.

    Also "" when the earlier figure is zero: perhaps nothing was recorded then.
    """
    if not before or isinstance(number, MoreThan) or isinstance(before, MoreThan):
        return ""
    difference = number - before
    if not difference:
        return f", autant que {than}"
    return f", {format_count(abs(difference))} de {'plus' if difference > 0 else 'moins'} que {than}"


def person_name(last_name: str, first_name: str) -> str:
    """Return « DUPONT Zoé »: the last name in capitals with its accents, the first name unchanged."""
    return " ".join(part for part in (last_name.strip().upper(), first_name.strip()) if part)


def spoken_name(first_name: str, last_name: str) -> str:
    """Return « Zoé DUPONT », the form used in sentences; lists use `person_name`."""
    return " ".join(part for part in (first_name.strip(), last_name.strip().upper()) if part)


def of_name(name: str) -> str:
    """Return « de Noé AGATE » or « d’Éloïse AMBRE »; always « de » before H, whether mute or aspirated."""
    letters = unicodedata.normalize("NFD", name.replace("Œ", "O").replace("Æ", "A").strip().upper())
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    # « d’Yves », but « de Yanis »: before a vowel, Y is a consonant
    return f"d’{name}" if re.match(r"[AEIOU]|Y[^AEIOUY\W]", bare) else f"de {name}"


def of_school(name: str) -> str:
    """Return « du lycée Ada Lovelace », « de l’école de la Marine », else « de l’établissement Les Grandes Rives »."""
    return _school(name, {"le": "du ", "la": "de la ", "l’": "de l’"})


def at_school(name: str) -> str:
    """Return « au lycée Ada Lovelace », « à l’école de la Marine », else « à l’établissement Les Grandes Rives »."""
    return _school(name, {"le": "au ", "la": "à la ", "l’": "à l’"})


def the_school(name: str) -> str:
    """Return « le lycée Ada Lovelace », « l’école de la Marine », else « l’établissement Les Grandes Rives »."""
    return _school(name, {"le": "le ", "la": "la ", "l’": "l’"})


def _school(name: str, words: Mapping[str, str]) -> str:
    first, _, rest = name.strip().partition(" ")
    article = _SCHOOL_ARTICLES.get(first.lower()) if rest else None
    if article is None:
        return f"{words['l’']}établissement {name.strip()}"
    noun = first if first.isupper() and first.lower() in _ACRONYMS else first.lower()
    return f"{words[article]}{noun} {rest}"


def unfilled(label: str) -> str:
    """Return the text for an empty field, in agreement with its label: « Ville » is « non renseignée »."""
    words = label.lower().split()
    if label.endswith(" le") or label.startswith("Dern"):
        return "jamais"
    if words[-1] == "par":
        return "personne"
    noun = next((word for word in words if word not in _BEFORE_A_NOUN), "")
    feminine = "e" if noun.removesuffix("s") in FEMININE_LABELS else ""
    plural_mark = "s" if noun.endswith("s") and noun not in _SINGULAR_IN_S else ""
    return f"non renseigné{feminine}{plural_mark}"


def join_french(items: Sequence[str]) -> str:
    """Return the items as a French list: « le nom, l’adresse et l’UAI »."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} et {items[-1]}"


def mask_ine(ine: str) -> str:
    """Return the INE with all but its last three characters hidden, as shown to the support."""
    return "•" * (len(ine) - 3) + ine[-3:] if len(ine) > 3 else "•" * len(ine)


def mask_ines(text: str) -> str:
    """Return the text with each INE in it masked: eleven characters, in one of the valid INE forms."""
    return _INE.sub(lambda found: mask_ine(found[0]), text)


def format_size(size: int) -> str:
    """Format a size in bytes in French units (o, ko, Mo, Go; multiples of 1024), with at most one decimal."""
    value = float(size)
    unit = _SIZE_UNITS[0]
    for larger_unit in _SIZE_UNITS[1:]:
        # Rounded first, so that 1 048 575 bytes read « 1 Mo » and not « 1 024 ko ».
        if round(value, 1) < 1024:
            break
        value, unit = value / 1024, larger_unit
    figure = f"{value:,.1f}".removesuffix(".0")
    return figure.replace(",", NARROW_NO_BREAK_SPACE).replace(".", ",") + NO_BREAK_SPACE + unit
