"""Render a scenario as a PDF, in the order of its page."""

from __future__ import annotations

from typing import Any

from cpro.core.documents import render_pdf
from cpro.core.formatting import format_instant
from cpro.core.richtext import to_blocks
from cpro.masks.models import MaskKey
from cpro.masks.queries import get_labels
from cpro.scenarios.queries import ScenarioDetails


def render_scenario(details: ScenarioDetails, *, school: str, timezone: str) -> bytes:
    """Return the PDF of a scenario, labelled with the school's masks for its diploma; `school` is the school's name."""
    return render_pdf("scenarios/scenario.typ", build_pdf_data(details, school=school, timezone=timezone))


def build_pdf_data(details: ScenarioDetails, *, school: str, timezone: str) -> dict[str, Any]:
    """Return the data that the template reads, ready for JSON."""
    scenario = details.scenario
    labels = get_labels(scenario.diploma_id)
    return {
        "school": school,
        "title": scenario.title,
        "diploma": scenario.diploma.short_label,
        "authors": ", ".join([scenario.author.label, *(each.label for each in details.co_authors)]),
        "co_intervention": scenario.is_co_intervention,
        "changed_at": format_instant(scenario.changed_at, timezone),
        "competences": [{"code": each.code, "label": each.label} for each in details.competences],
        "fields": [
            {
                "label": label,
                "links": [{"label": each.label or each.url, "url": each.url} for each in details.links],
                "blocks": [],
            }
            if key is MaskKey.LINKS
            else {"label": label, "links": [], "blocks": to_blocks(getattr(scenario, key.value))}
            for key, label in labels.items()
        ],
    }
