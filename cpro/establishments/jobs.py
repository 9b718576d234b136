"""The nightly jobs on schools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core import tenancy
from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import nightly
from cpro.core.storage import FileStorage
from cpro.establishments.operations.pictures import delete_unused_pictures
from cpro.extensions import application


def _describe_result(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('deleted', 0), 'image supprimée', 'images supprimées')}."


@nightly("pictures:sweep", label="Suppression des images devenues inutiles", summary=_describe_result)
def sweep(context: JobContext) -> dict[str, int]:
    """Delete the pictures that no row references any more."""
    storage = FileStorage(application.uploads)
    with tenancy.platform_session(context.reason) as session:
        return {"deleted": len(delete_unused_pictures(session, storage=storage, now=context.now))}
