"""Static accessibility checks of a page's source: distinct names, titles, headings, captions, choices.

Each function returns the faults of one criterion of RGAA 4.1, as sentences; none when the page conforms.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from urllib.parse import urldefrag, urljoin
from xml.etree.ElementTree import Element

import html5lib

_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " "})
#: Meaningless link texts: a verb alone, a date, a time, a number.
_VERBS = (
    "accéder|afficher|aller|annuler|archiver|consulter|consultations|corriger|détails?|fermer|ici|imprimer|lire|"
    "lire la suite|modifier|ouvrir|plus|prolonger|reprendre|retirer|rétablir|rouvrir|suite|supprimer|télécharger|"
    "tout voir|voir|voir plus|fiche|page|lien|csv|xlsx|pdf"
)
_MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
_DATE = rf"(?:le )?(?:\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{1,2}}(?:er)? (?:{_MONTHS})(?: \d{{4}})?)"
_HOUR = r"(?:,? ?(?:à )?\d{1,2} ?[h:] ?\d{2}(?:[: ]\d{2})?(?: s)?)?"
_MEANINGLESS = re.compile(rf"(?:{_VERBS}|{_DATE}{_HOUR}|[\d ]+)", re.IGNORECASE)


def parse(source: str) -> Element:
    """Return the parsed document of a page."""
    root: Element = html5lib.parse(source, namespaceHTMLElements=False)
    return root


def find_faults(source: str, address: str, status: int = 200) -> list[str]:
    """Return every fault of a page, each with the number of its criterion."""
    root = parse(source)
    checks: dict[str, Callable[[], Iterable[str]]] = {
        "1.9": lambda: unrelated_captions(root),
        "5.4": lambda: tables_without_caption(root),
        "6.1": lambda: [*alike_links(root, address), *meaningless_links(root)],
        "7.4": lambda: choices_without_button(root),
        "8.6": lambda: faults_of_title(root, status),
        "9.1": lambda: [*skipped_headings(root), *repeated_questions(root)],
        "11.2": lambda: alike_controls(root),
        "11.9": lambda: alike_buttons(root, address),
    }
    return [f"{number}: {fault}" for number, find in checks.items() for fault in find()]


def alike_links(root: Element, address: str) -> list[str]:
    """Return the names shared by links to different addresses: out of context, a listener cannot tell them apart."""
    targets: dict[str, set[str]] = defaultdict(set)
    for link in _links(root):
        targets[name_of(link, root)].add(urldefrag(urljoin(address, link.get("href") or ""))[0])
    return [f"« {name} » leads to {sorted(found)}" for name, found in targets.items() if len(found) > 1]


def meaningless_links(root: Element) -> list[str]:
    """Return the links whose name is empty, or only a verb, a date or a number."""
    names = {name_of(link, root) for link in _links(root)}
    return [f"a link is named « {name} »" for name in sorted(names) if not name or _MEANINGLESS.fullmatch(name)]


def alike_buttons(root: Element, address: str) -> list[str]:
    """Return the names shared by buttons that do different things."""
    done: dict[str, set[object]] = defaultdict(set)
    for form, button in _submits(root):
        action = button.get("formaction") or (form.get("action") if form is not None else "") or address
        done[name_of(button, root)].add((urljoin(address, action), button.get("name"), button.get("value")))
    return [f"the button « {name} » does {len(found)} things" for name, found in done.items() if len(found) > 1]


def alike_controls(root: Element) -> list[str]:
    """Return the names shared by two controls of a page, unless the legend of a group tells them apart."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for control, legends in _controls(root):
        names[label_of(control, root), legends].add(control.get("id") or control.get("name") or "")
    return [f"{sorted(ids)} are all « {name} »" for (name, _), ids in names.items() if len(ids) > 1 or not name]


def choices_without_button(root: Element) -> list[str]:
    """Return the drop-downs without a submit button, possibly a gated one: a choice alone must not change the page."""
    gated = {
        id(form) for form in root.iter("form") if any(b.get("aria-disabled") == "true" for b in form.iter("button"))
    }
    sent = gated | {id(form) for form, _ in _submits(root) if form is not None}
    forms = {form.get("id"): form for form in root.iter("form") if form.get("id")}
    owner = {id(each): form for form in root.iter("form") for each in form.iter("select")}
    closed = {id(each) for group in root.iter("fieldset") if group.get("disabled") is not None for each in group.iter()}
    lonely = []
    for select in root.iter("select"):
        if select.get("disabled") is not None or id(select) in closed:
            continue
        form = forms.get(select.get("form")) if select.get("form") else owner.get(id(select))
        if form is None or id(form) not in sent:
            lonely.append(f"no button sends the list {select.get('name')}")
    return lonely


def faults_of_title(root: Element, status: int) -> list[str]:
    """Return what the title fails to mention: an error, a search, a page of a list."""
    title = text_of(next(root.iter("title")))
    faults = []
    is_refused = status >= 400 or any("error-summary" in classes(each) for each in root.iter())
    if is_refused and not title.startswith("Erreur – "):
        faults.append(f"the title hides the error: {title}")
    for field in root.iter("input"):
        words = (field.get("value") or "").strip().casefold()
        if field.get("type") == "search" and words and f"recherche « {words} »" not in title.casefold():
            faults.append(f"the title hides the search: {title}")
    return faults


def skipped_headings(root: Element) -> list[str]:
    """Return the headings more than one level below the previous one."""
    faults, before = [], 0
    for each in root.iter():
        if re.fullmatch("h[1-6]", str(each.tag)):
            level = int(each.tag[1])
            if level > before + 1:
                faults.append(f"after a heading of level {before}, {each.tag} « {text_of(each)} »")
            if not text_of(each):
                faults.append(f"an empty {each.tag}")
            before = level
    return faults


def repeated_questions(root: Element) -> list[str]:
    """Return the question of a confirmation that adds nothing to the title of its page."""
    title = text_of(next(root.iter("h1")))
    questions = [text_of(each) for each in root.iter("p") if "confirm-question" in classes(each)]
    return [f"« {each} » only repeats the title" for each in questions if each.removesuffix("?").strip() == title]


def tables_without_caption(root: Element) -> list[str]:
    """Return the tables without a caption, and those with the same caption as another."""
    faults, seen = [], set()
    for table in root.iter("table"):
        caption = next((text_of(each) for each in table.iter("caption")), "")
        if not caption or caption in seen:
            faults.append(f"a table's caption is « {caption} »")
        seen.add(caption)
    return faults


def unrelated_captions(root: Element) -> list[str]:
    """Return the captioned pictures whose figure is not a group named by the caption."""
    faults = []
    for figure in root.iter("figure"):
        caption = next((text_of(each) for each in figure.iter("figcaption")), "")
        if caption and (figure.get("role") not in ("figure", "group") or name_of(figure, root) != caption):
            faults.append(f"the figure « {caption} » is not named by its caption")
    return faults


def name_of(element: Element, root: Element) -> str:
    """Return the accessible name of a link, a button or a group."""
    if ids := element.get("aria-labelledby"):
        by_id = {each.get("id"): each for each in root.iter()}
        return _plain(" ".join(_heard(by_id[each]) for each in ids.split() if each in by_id))
    return _plain(element.get("aria-label") or _heard(element))


def label_of(control: Element, root: Element) -> str:
    """Return the accessible name of a field."""
    if control.get("aria-label") or control.get("aria-labelledby"):
        return name_of(control, root)
    return next((text_of(each) for each in root.iter("label") if each.get("for") == control.get("id")), "")


def text_of(element: Element) -> str:
    """Return the text of an element as read aloud, on one line."""
    return _plain(_heard(element))


def classes(element: Element) -> list[str]:
    """Return the classes of an element."""
    return (element.get("class") or "").split()


def _plain(text: str) -> str:
    return " ".join(text.translate(_SPACES).split())


def _heard(element: Element) -> str:
    """Return the text that a screen reader reads for an element: visible or hidden text, and text alternatives."""
    is_hidden = element.get("aria-hidden") == "true" or element.get("hidden") is not None
    if is_hidden or element.tag in ("template", "script"):
        return ""
    own = element.get("alt") or "" if element.tag == "img" else element.text or ""
    return own + "".join(_heard(each) + (each.tail or "") for each in element if isinstance(each.tag, str))


def _links(root: Element) -> Iterable[Element]:
    """Yield the links of a page; the menu is skipped, since it appears twice with the same links."""
    return (link for link in root.iter("a") if link.get("href") and not (link.get("href") or "").startswith("#"))


def _submits(root: Element) -> Iterable[tuple[Element | None, Element]]:
    """Yield the submit buttons, each with its form."""
    forms = {form.get("id"): form for form in root.iter("form") if form.get("id")}
    owner = {id(each): form for form in root.iter("form") for each in form.iter()}
    for button in root.iter():
        is_button = button.tag == "button" and button.get("type", "submit") == "submit"
        if is_button or (button.tag == "input" and button.get("type") == "submit"):
            yield (forms.get(button.get("form")) if button.get("form") else owner.get(id(button))), button


def _controls(root: Element) -> Iterable[tuple[Element, str]]:
    """Yield the fields of a page, each with the legends of the groups around it."""

    def walk(element: Element, legends: str) -> Iterable[tuple[Element, str]]:
        if element.tag in ("fieldset",) or element.get("role") == "group":
            own = next((text_of(each) for each in element.iter("legend")), "") or name_of(element, root)
            legends = f"{legends} {own}"
        if element.tag in ("input", "select", "textarea") and element.get("hidden") is None:
            if element.get("type") not in ("hidden", "submit", "radio"):  # the answers to one question share its name
                yield element, legends
        for each in element:
            yield from walk(each, legends)

    return walk(root, "")
