"""The content of a PDF for a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject


def elements(reader: PdfReader) -> list[DictionaryObject]:
    """Return the elements of the structure tree, in reading order."""
    return list(_tagged(reader.trailer["/Root"]["/StructTreeRoot"]))


def _tagged(node: Any) -> Iterator[DictionaryObject]:
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, list):
        for each in node:
            yield from _tagged(each)
    elif isinstance(node, DictionaryObject):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from _tagged(node["/K"])
