"""The pages of scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from cpro.competences.models import Competence
from cpro.competences.queries import list_competences, list_competences_by_id
from cpro.core import clock, events
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import DomainError
from cpro.core.formatting import format_instant, join_french
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import announce, current_actor, current_principal
from cpro.core.web.edit_page import EditPage
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.screens import above
from cpro.establishments.models import Module
from cpro.establishments.queries import get_current_establishment
from cpro.establishments.web.modules import close_with
from cpro.masks.queries import get_labels
from cpro.scenarios import listing, operations, pdf, queries
from cpro.scenarios.web.forms import CHANGE_DIPLOMA, MORE_LINKS, ScenarioForm
from cpro.students.models import Diploma
from cpro.students.queries import find_diploma, list_diplomas

#: The name of the list for the pages below it.
_LIST = "scenarios"

bp = Blueprint("scenarios", __name__, url_prefix="/scenarios")

close_with(Module.SCENARIOS, bp)
above.stand_below(bp, _LIST, carries=lambda endpoint, _values: endpoint != "scenarios.index")


@bp.get("")
@requires(Permission.SCENARIOS_VIEW)
def index() -> ResponseReturnValue:
    """List the scenarios of the school."""
    account_id, code = _own_id(), request.args.get("diplome", "")[:20]
    diploma = find_diploma(code) if code else None
    competences = list_competences(diploma.id) if diploma else []
    asked = listing.read_list(request.args, request.path, [each.id for each in competences])
    is_narrowed = listing.is_narrowed(asked)
    if is_narrowed:  # searched words may be words of titles, which stay out of the journal
        announce(events.search_made, "scenarios", screen="Scénarios", sought=diploma.short_label if diploma else "")
    above.show_list(_LIST, asked)
    page = queries.find_page(asked, account_id)
    return render_page(
        "scenarios/list.html",
        asked=asked,
        is_narrowed=is_narrowed,
        shown=_words_of_filters(diploma, competences),
        page=page,
        codes=queries.list_codes_by_scenario([each.id for each in page.rows]),
        total=queries.count_scenarios(asked, account_id),
        diplomas=list_diplomas(),
        competences=competences,
        states=listing.STATE_LABELS,
        timezone=get_current_establishment().timezone,
        format_instant=format_instant,
        may_write=_may_write(),
    )


def _words_of_filters(diploma: Diploma | None, competences: Sequence[Competence]) -> dict[str, dict[str, str]]:
    return {
        "diplome": {diploma.code: diploma.short_label} if diploma else {},
        "competence": {str(each.id): f"compétence {each.code}" for each in competences},
        "auteur": {"moi": "les miens"},
        "etat": dict(listing.STATE_LABELS),
    }


class ScenarioPage(EditPage[ScenarioForm]):
    """The form of a scenario, for its author and co-authors, or of a new one."""

    form_class, template = ScenarioForm, "scenarios/form.html"
    keeps_absent = False

    def __init__(self, scenario_id: int | None = None, *, source_id: int | None = None) -> None:
        self.scenario_id, self.source_id = scenario_id, source_id
        self.draft = DraftKey("scenario", str(scenario_id or "new") if source_id is None else f"copy-{source_id}")
        self.source = queries.get_details(source_id) if source_id is not None else None
        self.copy: operations.Copy | None = None
        self.about = ("scenario", scenario_id) if scenario_id is not None else None
        self.details = _get_own_details(scenario_id) if scenario_id is not None else None

    def load(self) -> None:
        self.details = queries.get_details(self.scenario_id) if self.scenario_id is not None else None
        self.source = queries.get_details(self.source_id) if self.source_id is not None else None

    def values(self) -> Mapping[str, Any] | None:
        return operations.get_scenario_values(self.details) if self.details else None

    def first_values(self) -> Mapping[str, Any]:
        code = request.args.get("diplome", "")[:20]
        asked = find_diploma(code) if code else None
        if self.source is not None:
            self.copy = operations.prepare_copy(self.source, asked or self.source.scenario.diploma)
            return self.copy.values
        diploma = asked or queries.find_usual_diploma(current_actor().id or 0) or next(iter(list_diplomas()), None)
        return {"diploma": diploma.code if diploma else ""}

    def complete(self, form: ScenarioForm) -> None:
        diploma = find_diploma(form.diploma.data or "")
        form.name_fields(get_labels(diploma.id if diploma else 0))
        form.restore_choices([str(each.id) for each in list_competences(diploma.id)] if diploma else [])

    def save(self, form: ScenarioForm) -> tuple[str, str]:
        values, by, now = _values(form), current_actor(), clock.utcnow()
        message = "Scénario enregistré."
        if self.scenario_id is None:
            source = queries.get_scenario(self.source_id) if self.source_id is not None else None
            written = operations.create_scenario(values, copied_from=source, by=by, now=now)
            return url_for("scenarios.show", scenario_id=written.id), message
        opened_on = form.version.data
        changed = operations.update_scenario(self.scenario_id, values, opened_on=opened_on, by=by, now=now)
        return url_for("scenarios.show", scenario_id=self.scenario_id), message if changed else "Rien n’a changé."

    def is_final(self, refusal: DomainError) -> bool:
        return isinstance(refusal, (operations.NotYourScenario, operations.Archived))

    def offer(self, form: ScenarioForm) -> None:
        diploma = find_diploma(form.diploma.data or "")
        author_id = self.details.scenario.author_id if self.details else _own_id()
        kept = [each.id for each in self.details.co_authors] if self.details else []
        competences = list_competences(diploma.id) if diploma else []
        form.sort_competences([str(each.id) for each in competences])
        form.prepare(
            labels=get_labels(diploma.id if diploma else 0),
            diplomas=[(each.code, each.short_label) for each in list_diplomas()],
            competences=[(str(each.id), f"{each.code} {each.label}") for each in competences],
            co_authors=[(str(each.id), each.label) for each in queries.list_possible_co_authors(author_id, kept)],
            more_links=request.form.get("geste") == MORE_LINKS,
        )

    def context(self, form: ScenarioForm) -> Mapping[str, Any]:
        return {
            "scenario": self.details.scenario if self.details else None,
            "source": self.source.scenario if self.source else None,
            "copied": _describe_competences(self.copy) if self.copy else "",
            "diploma": find_diploma(form.diploma.data or ""),
            "set_aside": list_competences_by_id(form.set_aside.data or ()),
            "change_diploma": CHANGE_DIPLOMA,
            "more_links": MORE_LINKS,
            "list_url": _list_url(),
        }

    def answer(self) -> ResponseReturnValue:
        """Save the scenario, or show its form again with another diploma's labels or more rows of links."""
        only_shows = request.form.get("geste") in (CHANGE_DIPLOMA, MORE_LINKS)
        return self.show_posted() if only_shows and not drafts.is_asked() else super().answer()


@bp.get("/nouveau")
@requires(Permission.SCENARIOS_EDIT)
def create() -> ResponseReturnValue:
    """Show an empty form, or a copy to adapt, for the diploma asked or the one the teacher usually teaches."""
    return ScenarioPage(source_id=_asked_source()).show()


@bp.post("/nouveau")
@requires(Permission.SCENARIOS_EDIT, keeps_typed_form=True)
def save_new() -> ResponseReturnValue:
    """Save a new scenario, or show its form again."""
    return ScenarioPage(source_id=_asked_source()).answer()


@bp.get("/<int:scenario_id>")
@requires(Permission.SCENARIOS_VIEW)
def show(scenario_id: int) -> ResponseReturnValue:
    """Show a scenario; printing the page prints only the scenario."""
    details = _opened(scenario_id)
    return render_page(
        "scenarios/show.html",
        details=details,
        scenario=details.scenario,
        labels=_labels(details.scenario.diploma),
        changed_at=format_instant(details.scenario.changed_at, get_current_establishment().timezone),
        may_write=_may_write(),
        diplomas=list_diplomas() if _may_write() else (),
        is_own=queries.is_written_by(details.scenario, _own_id()),
        list_url=_list_url(),
    )


@bp.get("/<int:scenario_id>/imprimer")
@requires(Permission.SCENARIOS_VIEW)
def print_out(scenario_id: int) -> ResponseReturnValue:
    """Send a scenario as a PDF."""
    details = _opened(scenario_id)
    school = get_current_establishment()
    content = pdf.render_scenario(details, school=school.name or school.code, timezone=school.timezone)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="scenario-{scenario_id}.pdf"'
    return answer


@bp.get("/<int:scenario_id>/modifier")
@requires(Permission.SCENARIOS_EDIT)
def edit(scenario_id: int) -> ResponseReturnValue:
    """Show the form of a scenario to its author and co-authors."""
    page = ScenarioPage(scenario_id)
    if page.details and page.details.scenario.archived_at is not None:
        raise operations.Archived
    return page.show()


@bp.post("/<int:scenario_id>/modifier")
@requires(Permission.SCENARIOS_EDIT, keeps_typed_form=True)
def save(scenario_id: int) -> ResponseReturnValue:
    """Save a scenario, or show its form again."""
    return ScenarioPage(scenario_id).answer()


def _asked_source() -> int | None:
    """Return the id of the scenario that the URL asks to copy, 0 for an invalid one; None when it asks for none."""
    asked = request.args.get("copie")
    return None if asked is None else read_id(asked) or 0


def _describe_competences(done: operations.Copy) -> str:
    """Return which competences a copy for another diploma kept, and which it did not, or ""."""
    kept, left_out = (join_french([each.code for each in found]) for found in (done.kept, done.left_out))
    reworded = join_french([f"{each.code} «\u202f{each.label}\u202f»" for each in done.reworded])
    return " ".join(
        [
            *([f"Compétences reprises, de mêmes code et intitulé\u202f: {kept}."] if kept else []),
            *([f"Même code mais autre intitulé, à cocher si cela convient\u202f: {reworded}."] if reworded else []),
            *(["Aucune compétence n’a le même code dans ce diplôme."] if left_out and not (kept or reworded) else []),
            *([f"Sans équivalent dans ce diplôme, non reprises\u202f: {left_out}."] if left_out else []),
        ]
    )


@bp.route("/<int:scenario_id>/archiver", methods=["GET", "POST"])
@requires(Permission.SCENARIOS_EDIT)
def archive(scenario_id: int) -> ResponseReturnValue:
    """Confirm, then archive."""
    return _archive(scenario_id, archived=True)


@bp.route("/<int:scenario_id>/reprendre", methods=["GET", "POST"])
@requires(Permission.SCENARIOS_EDIT)
def restore(scenario_id: int) -> ResponseReturnValue:
    """Confirm, then restore an archived scenario."""
    return _archive(scenario_id, archived=False)


def _archive(scenario_id: int, *, archived: bool) -> ResponseReturnValue:
    page = url_for("scenarios.show", scenario_id=scenario_id)
    if request.method == "POST":
        with unit_of_work():
            operations.archive_scenario(scenario_id, archived=archived, by=current_actor(), now=clock.utcnow())
        return back_to(page, "Scénario archivé." if archived else "Scénario repris : il est à nouveau en cours.")
    title = _get_own_details(scenario_id).scenario.title
    consequences = (
        [
            "Il quitte la liste courante ; on le retrouve avec le filtre « archivés ».",
            "Il ne peut plus être modifié ni choisi dans une évaluation ; celles qui le citent ne changent pas.",
            "Vous pourrez le reprendre quand vous voudrez.",
        ]
        if archived
        else ["Il revient dans la liste courante, et peut à nouveau être modifié."]
    )
    verb = "Archiver" if archived else "Reprendre"
    return render_page(
        "confirm.html",
        title=f"{verb} un scénario",
        question=f"{verb} « {title} » ?",
        consequences=consequences,
        action_url=url_for("scenarios.archive" if archived else "scenarios.restore", scenario_id=scenario_id),
        fields={},
        submit_label=f"{verb} le scénario",
        cancel_url=page,
        danger=False,
    )


def _list_url() -> str:
    """Return the address of the list in its last state."""
    return above.list_address(_LIST, url_for("scenarios.index"))


def _own_id() -> int | None:
    """Return the id of the signed-in account, None for an inspector, whose id is not an account's."""
    principal = current_principal()
    return principal.id if principal is not None and principal.kind == "account" else None


def _may_write() -> bool:
    return can(current_principal(), Permission.SCENARIOS_EDIT)


def _get_own_details(scenario_id: int) -> queries.ScenarioDetails:
    details = queries.get_details(scenario_id)
    if not queries.is_written_by(details.scenario, _own_id()):
        raise operations.NotYourScenario
    return details


def _opened(scenario_id: int) -> queries.ScenarioDetails:
    """Return a scenario about to be displayed, and announce the page view to the journal: by number, not title."""
    details = queries.get_details(scenario_id)
    label = operations.get_audit_label(details.scenario, details.scenario.diploma)
    announce(events.record_opened, "scenarios", object_type="scenario", object_id=str(scenario_id), object_label=label)
    return details


def _values(form: ScenarioForm) -> dict[str, Any]:
    return {field.name: field.data for field in form if field.name not in ("version", "set_aside")}


def _labels(diploma: Diploma | None) -> dict[str, str]:
    return {key.value: label for key, label in get_labels(diploma.id if diploma else 0).items()}
