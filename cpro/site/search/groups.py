"""Results of a person's search, kind by kind: never more than the lists of that kind would show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from flask import current_app, url_for

from cpro.core import clock
from cpro.core.formatting import person_name
from cpro.core.permissions import Permission, Principal
from cpro.core.search import cut_words
from cpro.core.validators import fold
from cpro.core.web.registry import registry
from cpro.site.glossary import WORDS
from cpro.site.help import HELP_PAGES
from cpro.site.search import queries
from cpro.site.sitemap import HELP, Line, list_keywords, list_sections
from cpro.students.models import Student

#: Minimum length of a word to be searched in the text of the help pages, and not in their titles alone.
_LONG_ENOUGH = 3
#: Words that carry no meaning in a search, and the endings of a plural or a verb: « importer » finds « imports ».
_LITTLE_WORDS = frozenset("a au aux avec d dans de des du en et l la le les n ou par pour s sur un une".split())
_ENDINGS, _SHORTEST_STEM = ("er", "s", "x"), 4
#: Words that people type, and those that the pages say in their place.
_SYNONYMS = {"classe": "division"}
_NOT_TEXT = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)


@dataclass(frozen=True)
class Hit:
    """One result; `enter_url` is where a school is entered, by a POST."""

    label: str
    url: str
    detail: str = ""
    enter_url: str = ""


@dataclass(frozen=True)
class Group:
    """The results of one kind: the first ones, the total, and the address of the full list, if any."""

    key: str
    title: str
    hits: Sequence[Hit]
    total: int
    all_url: str = ""


def list_groups(person: Principal, text: str) -> list[Group]:
    """Return the search results for a person, without the kinds that have none."""
    of_school = (_students, _pupils, _accounts, _divisions) if person.establishment_id is not None else (_schools,)
    kinds: Iterable[Callable[[Principal, str], Group | None]] = (*of_school, _pages, _help)
    found = (kind(person, text) for kind in kinds)
    return [_shorten(group) for group in found if group is not None and group.hits]


def reads_people(person: Principal) -> bool:
    """Return whether a person's search covers people: the journal then records it, like their lists."""
    readers = (Permission.STUDENTS_VIEW, Permission.PUPILS_VIEW, Permission.USERS_VIEW)
    return person.establishment_id is not None and any(map(person.can, readers))


def _shorten(group: Group) -> Group:
    """Return a group with only its first hits when there are more than were read, with all of them otherwise."""
    return replace(group, hits=group.hits[: queries.SHOWN]) if group.total > len(group.hits) else group


def _students(person: Principal, text: str) -> Group | None:
    """Search the pupils of the school by name, and by INE for those who may read it whole."""
    if not person.can(Permission.STUDENTS_VIEW):
        return None
    total, rows = queries.find_students(text, by_ine=person.can(Permission.INE_READ))
    hits = [Hit(_name(row), url_for("eleves.details_view", id=row.id), _describe_pupil(row)) for row in rows]
    return Group("eleves", "Élèves", hits, total, url_for("eleves.index_view", recherche=text))


def _pupils(person: Principal, text: str) -> Group | None:
    """Search the pupils of a teacher's divisions."""
    if person.can(Permission.STUDENTS_VIEW) or not person.can(Permission.PUPILS_VIEW):
        return None
    total, rows = queries.find_pupils_of(person.id, text)
    hits = [Hit(_name(row), url_for("records.pupil", student_id=row.id), _describe_pupil(row)) for row in rows]
    return Group("apprenants", "Apprenants", hits, total, url_for("records.pupils", recherche=text, situation="tous"))


def _accounts(person: Principal, text: str) -> Group | None:
    """Search the accounts of the school by name, login or full address."""
    if not person.can(Permission.USERS_VIEW):
        return None
    total, rows = queries.find_accounts(text)
    hits = [
        Hit(
            person_name(row.last_name, row.first_name),
            url_for("utilisateurs.details_view", id=row.id),
            f"{row.role.label}, identifiant {row.login}",
        )
        for row in rows
    ]
    return Group("comptes", "Comptes", hits, total, url_for("utilisateurs.index_view", recherche=text))


def _divisions(person: Principal, text: str) -> Group | None:
    """Search the divisions of the school, or those of a teacher; what divisions are called, alone, finds them all."""
    words = fold(text).split()
    named = [word for word in words if _translate(word) != "division"]
    if not words:
        return None
    if person.can(Permission.STUDENTS_VIEW):
        total, rows = queries.find_divisions(named)
        hits = [Hit(row.code, url_for("divisions.details_view", id=row.id), row.label) for row in rows]
        return Group("divisions", "Divisions", hits, total, url_for("divisions.index_view"))
    if person.can(Permission.PUPILS_VIEW):
        total, rows = queries.find_divisions(named, teacher_id=person.id)
        hits = [Hit(row.code, url_for("records.pupils", division=row.code), row.label) for row in rows]
        return Group("divisions", "Divisions", hits, total)
    return None


def _schools(person: Principal, text: str) -> Group | None:
    """Search the schools that a platform account may enter: all for the support, the open ones otherwise."""
    if person.can(Permission.MANDATE_ENTER):
        opened = registry().open_schools(person.id, clock.utcnow())
        rows = [(each.establishment_id, each.name, each.uai, each.city) for each in opened]
        rows = [row for row in rows if _holds(f"{row[1]} {row[2]} {row[3]}", text)]
    elif person.can(Permission.SCHOOLS_ENTER):
        rows = [(each.id, each.name or each.code, each.uai or "", each.city) for each in queries.find_schools(text)]
    else:
        return None
    hits = [
        Hit(name, "", ", ".join(filter(None, (uai, city))), url_for("schools.enter", establishment_id=school_id))
        for school_id, name, uai, city in rows[: queries.READ]
    ]
    return Group("etablissements", "Établissements", hits, len(rows), url_for("schools.choose", recherche=text))


def _pages(person: Principal, text: str) -> Group:
    """Search the pages of the site map by name, then by keyword; help is separate."""
    sections = list_sections(person, in_school=person.establishment_id is not None)
    keywords = list_keywords()
    pages = _flatten(line for title, lines in sections if title != HELP for line in lines)
    found = [(page, beneath) for page, beneath in pages if _holds(f"{page.label} {keywords.get(page.url, '')}", text)]
    found.sort(key=lambda each: not _holds(each[0].label, text))
    hits = [Hit(page.label, page.url, f"dans {beneath}" if beneath else "") for page, beneath in found]
    return Group("pages", "Pages et réglages", hits, len(hits))


def _help(person: Principal, text: str) -> Group | None:
    """Search the glossary, then the help pages, by title first, then by content."""
    if not person.can(Permission.HELP_READ):
        return None
    titled = [slug for slug, title in HELP_PAGES.items() if _holds(title, text)]
    words = {_translate(word) if _stem(word) in _SYNONYMS else word for word in _sought(text)}
    if words and all(len(word) >= _LONG_ENOUGH for word in words):
        titled += [
            slug for slug in HELP_PAGES if slug not in titled and all(word in _read_help(slug) for word in words)
        ]
    hits = [
        Hit(each.word, url_for("pages.help_page", slug="mots", _anchor=each.slug), each.stands_for)
        for each in WORDS
        if fold(text) == each.slug
    ]
    hits += [Hit(HELP_PAGES[slug], url_for("pages.help_page", slug=slug)) for slug in titled]
    return Group("aide", "Aide", hits[: queries.READ], len(hits), url_for("pages.help_index"))


@cache
def _read_help(slug: str) -> str:
    """Return the folded text of a help page, the same for every reader."""
    env = current_app.jinja_env
    assert env.loader is not None
    source, _name, _is_fresh = env.loader.get_source(env, f"help/{slug}.html")
    return fold(_NOT_TEXT.sub(" ", source))


def _flatten(pages: Iterable[Line]) -> Iterable[tuple[Line, str]]:
    """Yield each page with its parent page, "" for those that have none."""
    for page in pages:
        yield page, ""
        yield from ((each, page.label) for each in page.under)


def _holds(words: str, text: str) -> bool:
    """Return whether each word of a text, its stem or its synonym, occurs in `words`; case and accents are ignored."""
    sought, key = _sought(text), fold(words)
    return bool(sought) and all(_stem(word) in key or _translate(word) in key for word in sought)


def _sought(text: str) -> set[str]:
    """Return the meaningful words of a text; all of them if none is."""
    words = cut_words(text)
    return words - _LITTLE_WORDS or words


def _stem(word: str) -> str:
    """Return the stem of a plural or a verb; the word itself if it is too short."""
    ending = next((each for each in _ENDINGS if word.endswith(each)), "")
    stem = word.removesuffix(ending)
    return stem if len(stem) >= _SHORTEST_STEM else word


def _translate(word: str) -> str:
    """Return the stem of a word, or the word that the pages say in its place."""
    stem = _stem(word)
    return _SYNONYMS.get(stem, stem)


def _name(row: Student) -> str:
    return person_name(row.shown_name, row.first_name)


def _describe_pupil(row: Student) -> str:
    return ", ".join(filter(None, (row.division.code if row.division else "", "" if row.is_active else "parti")))
