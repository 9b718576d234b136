"""Read XML files of any size record by record, in bounded memory, refusing any sign of an attack.

The parser resolves no entity, loads no DTD, opens no network connection, and keeps libxml2's limits (256 levels, 10 MB
a text). A DOCTYPE is detected in the bytes and refused before the parser sees it. After each chunk, everything read is
removed from the tree, known or not: a file of unknown elements takes no more memory than a file of pupils.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any

from cpro.core.formatting import format_count
from cpro.imports.errors import BrokenXML, ForbiddenDeclaration, OversizedRecord, TableInWebPage, UnknownFile, WebPage
from cpro.imports.parse.xml.encoding import Encoding, detect_encoding

Element = Any  # lxml ships no type information

_CHUNK_SIZE = 1 << 16
#: Maximum bytes before the root, and of one record with its surroundings: far more than any export has.
_PROLOG_SIZE, _RECORD_SIZE = 1 << 16, 1 << 21
_BEFORE_ROOT = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(r"<([A-Za-z_][\w:.-]*)(?=[\s/>])")
#: The beginning of a web page, or of an HTML fragment that programs save as a table.
_HTML = re.compile(r"<(?:!doctype html|(?:html|head|meta|body|style|table)(?=[\s/>]|$))")
_LONG_LINE = 65535
#: Single-byte encodings where every byte is valid: Python converts them to UTF-8 much faster than libxml2 does.
_ALWAYS_READABLE = frozenset({"ISO-8859-1", "ISO-8859-15"})


def read_root(stream: IO[bytes], encoding: Encoding | None = None) -> str:
    """Return the name of the root element, without parsing.

    Raises ForbiddenDeclaration for a DOCTYPE, WebPage or TableInWebPage for HTML, UnknownFile when there is no root
    within 64 KB.
    """
    encoding = encoding or detect_encoding(stream)
    stream.seek(encoding.mark_size)
    text = stream.read(_PROLOG_SIZE).decode(encoding.name, errors="replace")
    skipped = _BEFORE_ROOT.match(text)
    text = text[skipped.end() :] if skipped else text
    start = text[:16].lower()
    if _HTML.match(start):
        raise TableInWebPage if "<table" in text.lower() else WebPage
    if start.startswith("<!"):
        raise ForbiddenDeclaration
    root = _ROOT.match(text)
    if not root:
        raise UnknownFile
    return root[1]


def check_end(stream: IO[bytes], root: str, encoding: Encoding | None = None) -> None:
    """Raise BrokenXML unless the file ends with its root's end tag: detects a truncated download immediately."""
    encoding = encoding or detect_encoding(stream)
    size = stream.seek(0, 2)
    start = max(encoding.mark_size, size - 4096)
    stream.seek(start - start % 2 + encoding.mark_size % 2)  # UTF-16 must be read from an even offset
    tail = stream.read().decode(encoding.name, errors="replace")
    tail = re.sub(r"<!--.*?-->|<\?.*?\?>", "", tail, flags=re.DOTALL).rstrip()
    if not re.search(rf"</{re.escape(root)}\s*>\Z", tail) and not re.search(rf"<{re.escape(root)}\b[^<]*/>\Z", tail):
        raise BrokenXML


def iter_records(
    stream: IO[bytes], tags: tuple[str, ...], *, depth: int, encoding: Encoding | None = None
) -> Iterator[Element]:
    """Yield the elements with those tags as they end; each is valid until the next one is requested.

    `depth` is that of the deepest records below the root. Raises FileRefused subclasses unless the XML is well-formed.
    """
    from lxml import etree  # four megabytes: imported only by processes that read such files

    encoding = encoding or detect_encoding(stream)
    read_root(stream, encoding)
    stream.seek(encoding.mark_size)
    is_recoded = encoding.name in _ALWAYS_READABLE
    parser = etree.XMLPullParser(
        events=("end",),
        tag=tags,
        encoding="UTF-8" if is_recoded else encoding.name,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,  # handling the blanks between elements takes a fifth of the time
        collect_ids=False,  # a hash of all ID attributes, not needed here, doubles the time
    )
    sweeper = _Sweeper(tags, depth)
    try:
        while chunk := stream.read(_CHUNK_SIZE):
            parser.feed(chunk.decode(encoding.name).encode() if is_recoded else chunk)
            for _, element in parser.read_events():
                sweeper.know(element)
                yield element
            sweeper.sweep(len(chunk))
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _broken(error.position[0] if error.position else 0) from error
    for _, element in parser.read_events():
        yield element


def get_line(element: Element) -> int:
    """Return the line on which the element begins, exact up to 65 534, and beyond if its children have their own lines.

    libxml2 stores a line in 16 bits; past that, it returns the line of the first text below the element: in an export,
    that of its first child, on the next line.
    """
    line = element.sourceline or 0
    return line - 1 if line >= _LONG_LINE and len(element) else line


def child_texts(element: Element, *tags: str) -> dict[str, str]:
    """Return the texts of the children with those tags, trimmed; an empty child counts as absent."""
    texts = {}
    for child in element.iterchildren(*tags):
        text = child.text
        if text and (text := text.strip()):
            texts[child.tag] = text
    return texts


class _Sweeper:
    """Remove what has been read from the tree, and refuse an endless record."""

    def __init__(self, tags: tuple[str, ...], depth: int) -> None:
        self._tags, self._depth = tags, depth
        self._root: Element = None
        self._open: Element = None
        self._bytes_open = 0

    def know(self, element: Element) -> None:
        """Learn the root from the first element met."""
        if self._root is None:
            tree = element.getroottree()
            if tree.docinfo.internalDTD is not None:
                raise ForbiddenDeclaration
            self._root = tree.getroot()

    def sweep(self, chunk_size: int) -> None:
        """Keep only the path to the current element; the last child of each level may still be open."""
        node = self._root
        for _ in range(self._depth):
            if node is None or not len(node) or node.tag in self._tags:
                break
            del node[:-1]
            node = node[-1]
        self._bytes_open = self._bytes_open + chunk_size if node is self._open else 0
        self._open = node
        if self._bytes_open > _RECORD_SIZE:
            raise OversizedRecord


def _broken(line: int) -> BrokenXML:
    if not line:
        return BrokenXML()
    return BrokenXML(
        f"Ce fichier est incomplet ou abîmé, à partir de la ligne {format_count(line)} : refaites l’export, puis "
        "déposez-le sans l’ouvrir."
    )
