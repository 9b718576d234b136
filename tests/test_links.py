"""No dead link: whatever a role can reach by following links answers, belongs to it, and is told apart by its name."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest

from cpro.competences.national import list_national
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.conformity import find_faults

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

#: Signed out, then every role; the support in a school too.
PEOPLE = {
    "anonymous": "",
    "administrator": "administrator",
    "head": "head",
    "teacher": "teacher",
    "student": "student",
    "inspector": "inspector",
    "support": "support",
    "support in a school": "support",
}
#: Sites that a page may name, in words: whoever reads a notice must know whom to turn to, whoever reads a national
#: list where it was read.
NAMED_SITES = {"www.cnil.fr", "www.defenseurdesdroits.fr", "formulaire.defenseurdesdroits.fr"} | {
    urlsplit(each.source.address).netloc for each in list_national()
}
#: How many pages of one shape (the same path, the same names of parameters) are opened: rows are alike.
_OF_A_SHAPE = 4
_JOURNAL = "/admin/journal/"
#: More than the site holds; a crawl that reaches it goes in circles.
_MOST_PAGES = 900


class _Links(HTMLParser):
    """Every address that a page names: followed, loaded, or sent to by a form that only reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the address of a tag, and its id."""
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        if tag == "form" and (values.get("method") or "get").lower() == "get":
            self.found.append(values.get("action") or "")
        self.found += [values[name] or "" for name in ("href", "src") if name in values]


class Crawl:
    """Where following links leads, and which of them lead nowhere."""

    def __init__(self, browser: Browser) -> None:
        self.dead: list[str] = []
        self.opened: set[str] = set()
        #: what the pages met owe people who hear them (`conformity.find_faults`)
        self.faults: dict[str, str] = {}
        self._browser = browser
        self._ids: dict[str, set[str]] = {}
        self._shapes: dict[object, int] = {}

    def follow(self, start: str) -> Crawl:
        """Open every page that can be reached from one; return the crawl."""
        waiting, anchors = [(start, "nowhere")], []
        while waiting:
            address, origin = waiting.pop()
            path, fragment = urldefrag(address)
            if fragment:
                anchors.append((path, fragment, origin))
            if path in self.opened or not self._is_worth_opening(path):
                continue
            assert len(self.opened) < _MOST_PAGES, "the crawl goes in circles"
            self.opened.add(path)
            waiting += self._open(path, origin)
        for path, fragment, origin in anchors:
            if path == _JOURNAL and fragment.startswith("ligne-"):
                continue  # each page opened meanwhile may have pushed the line to the next page
            if path in self._ids and fragment not in self._ids[path]:
                self.dead.append(f"no #{fragment} in {path}, named by {origin}")
        return self

    def _open(self, path: str, origin: str) -> list[tuple[str, str]]:
        answer = self._browser.get(path)
        if answer.status_code == 303:
            target = urljoin(path, answer.headers["Location"])
            if urlsplit(target).netloc:
                self.dead.append(f"{path} leads out of the site: {target} (named by {origin})")
                return []
            return [(target, path)]
        if answer.status_code != 200:
            self.dead.append(f"{answer.status_code} for {path} (named by {origin})")
            return []
        if answer.mimetype != "text/html":
            return []
        for fault in find_faults(answer.text, path):
            self.faults.setdefault(fault, path)
        links = _Links(answer.text)
        self._ids[path] = links.ids
        named = [urljoin(path, link) for link in links.found if not link.startswith(("data:", "mailto:", "otpauth:"))]
        self.dead += [f"{path} names {link}" for link in named if urlsplit(link).netloc not in {"", *NAMED_SITES}]
        return [(link, path) for link in named if not urlsplit(link).netloc]

    def _is_worth_opening(self, path: str) -> bool:
        address = urlsplit(path)
        shape = (address.path, tuple(sorted(part.partition("=")[0] for part in address.query.split("&"))))
        self._shapes[shape] = self._shapes.get(shape, 0) + 1
        return self._shapes[shape] <= _OF_A_SHAPE


@pytest.fixture(params=PEOPLE)
def person(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visitor(person: str, browser: Callable[[], Browser], world: World) -> Browser:
    """Return the browser of a person, signed in unless they are nobody."""
    if person == "anonymous":
        return browser()
    return browser().sign_in_as(world, PEOPLE[person], enter="a" if person == "support in a school" else None)


class TestLinks:
    def test_links_one_meets_lead_somewhere(self, visitor: Browser) -> None:
        crawl = Crawl(visitor).follow("/")

        assert crawl.dead == []
        assert crawl.faults == {}
        assert len(crawl.opened) > 3

    @pytest.mark.parametrize("person", ["administrator", "head", "support in a school"], indirect=True)
    def test_menu_leads_to_every_screen_one_may_read(self, visitor: Browser) -> None:
        pages = {urlsplit(address).path for address in Crawl(visitor).follow("/admin/").opened}

        screens = "eleves divisions diplomes mefs utilisateurs masques etablissements transferts journal"
        for screen in screens.split():
            assert any(page.startswith(f"/admin/{screen}/") for page in pages), screen
