"""Deposit pictures through the page, fetch them, and inspect the store."""

from __future__ import annotations

import io
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image

from cpro.core import tenancy
from cpro.core.storage import MARK, FileStorage
from cpro.establishments.operations.pictures import delete_unused_pictures
from tests.helpers.browser import Browser

LOGO_TAB = "/admin/parametres/logo"


def upload(browser: Browser, content: bytes, kind: str = "logo", name: str = "image.png") -> Any:
    """Deposit a picture as the page's form does."""
    data = {"file": (io.BytesIO(content), name)}
    answer = browser.post(f"{LOGO_TAB}/televerser/{kind}", data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # the test client's own copy of what it sent
    return answer


def fetch(browser: Browser, kind: str = "logo", **kwargs: Any) -> Any:
    """Fetch a picture; its file is closed once read."""
    return browser.get(f"{LOGO_TAB}/image/{kind}", **kwargs)


def undoable(browser: Browser, kind: str = "logo") -> dict[str, str]:
    """Return what the button that undoes the last change of a picture posts; nothing where there is no such button."""
    pattern = rf'name="version" value="(\d+)"\s+formaction="{LOGO_TAB}/annuler/{kind}"'
    found = re.search(pattern, browser.get(LOGO_TAB).text)
    return {"version": found[1]} if found else {}


def undo(browser: Browser, kind: str = "logo") -> Any:
    """Press that button."""
    return browser.post(f"{LOGO_TAB}/annuler/{kind}", undoable(browser, kind))


def shown(browser: Browser, kind: str = "logo") -> tuple[int, int] | None:
    """Return the size of the picture as served, None when there is none."""
    answer = fetch(browser, kind)
    if answer.status_code == 404:
        return None
    with Image.open(io.BytesIO(answer.data)) as image:
        return image.size


def stored_files(app: Flask) -> list[Path]:
    """Return the files of the store, except its marker."""
    store = Path(app.config["CPRO_UPLOADS"])
    return sorted(path for path in store.rglob("*") if path.is_file() and path != store / MARK)


def unmount(app: Flask) -> Path:
    """Leave the empty mount point of the store, as when a disk is no longer mounted."""
    store = Path(app.config["CPRO_UPLOADS"])
    shutil.rmtree(store)
    store.mkdir()
    return store


def sweep(app: Flask, now: datetime) -> list[str]:
    """Delete unused pictures, as if at another time."""
    with app.app_context(), tenancy.platform_session("test") as session:
        return delete_unused_pictures(session, storage=FileStorage(app.config["CPRO_UPLOADS"]), now=now)
