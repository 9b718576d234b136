"""The search words, checked against the names they come from."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import commonprefix
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.search import Searched, SearchWord, split_words
from cpro.extensions import db

_NAMES = ("establishment_id", "kind", "word", "sort_key", "row_id", "shared")


def searched_models() -> list[Any]:
    """Return the mapped classes whose rows are searched by words."""
    return [mapper.class_ for mapper in db.Model.registry.mappers if issubclass(mapper.class_, Searched)]


def check_words(app: Flask) -> None:
    """Fail when a word of a name is missing, or is stored for a name that no longer exists."""
    with app.app_context(), tenancy.platform_session("test: words of searches") as session:
        for model in searched_models():
            kept = session.execute(
                select(*(getattr(SearchWord, name) for name in _NAMES)).where(SearchWord.kind == model.__tablename__)
            )
            assert sorted(map(tuple, kept)) == sorted(_list_due(session, model))


def _list_due(session: Session, model: Any) -> Iterator[tuple[Any, ...]]:
    named = select(model.establishment_id, model.id, model.search_key).where(model.establishment_id.is_not(None))
    for school, row_id, key in session.execute(named):
        sort_key, earlier = f"{9_999_999_999 - row_id:010}" if model.latest_first else key, ""
        for word in sorted(split_words(key)):
            yield school, model.__tablename__, word, sort_key, row_id, len(commonprefix([earlier, word]))  # noqa: RUF071
            earlier = word
