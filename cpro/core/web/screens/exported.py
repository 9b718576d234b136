"""Exports of a screen's list: a file streamed or prepared by a job, or a limited page to print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import BinaryIO

from flask import Response, current_app, request, send_file
from flask.typing import ResponseReturnValue
from flask_admin import expose

from cpro.core import clock, events, spreadsheets
from cpro.core.counts import count_rows
from cpro.core.errors import DomainError
from cpro.core.formatting import MoreThan, format_count, plural
from cpro.core.jobs.files import KEPT
from cpro.core.jobs.models import Job
from cpro.core.spreadsheets import Block, csv_chunks, xlsx_chunks
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import announce, current_actor
from cpro.core.web.jobs import progress_url
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.core.web.screens import workbooks
from cpro.core.web.screens.declared import DeclaredScreen
from cpro.core.web.screens.listing import Listing
from cpro.core.web.screens.parts import Column
from cpro.core.web.screens.selection import Selection, select_listed
from cpro.core.web.screens.stored import read_blocks
from cpro.core.web.streaming import stream_in_scope

_MIMETYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


#: Maximum rows of a page to print: about thirty sheets.
MOST_PRINTED = 1_000


def _day_of(instant: datetime) -> date:
    """Return the day that a file's name bears, on the clocks of the school."""
    return clock.today_in(registry().timezone(), instant)


class ExportedScreen(DeclaredScreen):
    """The files of a list: CSV of any length and short workbooks at once, long workbooks by a job."""

    def _listing(self) -> Listing:
        return self._read_listing(request.args, self.get_url(".index_view"))

    def _read_listing(self, asked: Mapping[str, str], base: str = "") -> Listing:
        return Listing.of(asked, base, columns=self.open_columns(), filters=self.open_filters())

    def _selection(self, listing: Listing) -> Selection:
        return select_listed(
            self.model,
            listing,
            search_keys=self.search_keys,
            numbers=self.search_numbers(),
            whole=self.search_whole(listing.search),
            default_order=self.default_order,
        )

    @expose("/export/<any(csv, xlsx, papier):export_type>/")
    def export(self, export_type: str) -> ResponseReturnValue:
        """Send the rows of the list as a file without executable formulas; offer to prepare a long workbook.

        `papier` is a page of all the rows, to print.
        """
        listing = self._listing()
        if export_type == "papier":
            return self._page_to_print(listing)
        if export_type == "xlsx" and (count := self._count(listing)) > current_app.config["CPRO_XLSX_ROWS"]:
            return self._offer_workbook(listing, count)
        blocks, titles = self._blocks(listing, as_text=export_type == "csv"), self._titles()
        made = csv_chunks(titles, blocks) if export_type == "csv" else xlsx_chunks(titles, blocks, title=self.title)
        self._announce_export(listing, export_type)
        answer = Response(stream_in_scope(made), mimetype=_MIMETYPES[export_type])
        name = f"{self.endpoint}-{_day_of(clock.utcnow())}.{export_type}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    @expose("/export/classeurs/", methods=("POST",))
    def request_workbook(self) -> ResponseReturnValue:
        """Request a workbook of the list, then redirect to the progress of the job."""
        listing = self._listing()
        self._count(listing)
        with unit_of_work():
            asked = listing.kept()
            job_id = workbooks.request(self.endpoint, asked, by=current_actor(), now=clock.utcnow()).id
        return back_to(progress_url(job_id))

    @expose("/export/classeurs/<int:job_id>/")
    def workbook(self, job_id: int) -> ResponseReturnValue:
        """Send a workbook to the person who requested it, while it is kept."""
        job = workbooks.get_own(self.endpoint, job_id, by=current_actor())
        path = workbooks.FILES.find(job, now=clock.utcnow())
        self._announce_export(self._listing_of(job), "xlsx")
        name = f"{self.endpoint}-{_day_of(job.finished_at or job.created_at)}.xlsx"
        return send_file(path, mimetype=_MIMETYPES["xlsx"], as_attachment=True, download_name=name, etag=False)

    def write_workbook(
        self, stream: BinaryIO, asked: Mapping[str, str], *, progress: Callable[[int, int], object]
    ) -> int:
        """Write the workbook of a list, in a job; return its number of rows.

        `progress` is called with the rows written so far and their total. Raises `DomainError` for too many.
        """
        listing, done = self._read_listing(asked), 0
        total = self._count(listing)

        def counted() -> Iterator[Block]:
            nonlocal done
            for block in self._blocks(listing, as_text=False):
                yield block
                done += len(block[0])
                progress(done, total)

        stream.writelines(xlsx_chunks(self._titles(), counted(), title=self.title))
        return done

    def _page_to_print(self, listing: Listing) -> ResponseReturnValue:
        """Render the first rows of a list as one table, with a note about those left out."""
        columns = self.printed_columns()
        blocks = self._blocks(listing, as_text=True, columns=columns)
        read = (row for block in blocks for row in zip(*block, strict=True))
        rows = list(islice(read, MOST_PRINTED + 1))
        self._announce_export(listing, "papier")
        return render_page(
            "screens/printed.html",
            screen=self,
            listing=listing,
            titles=[column.label for column in columns],
            rows=rows[:MOST_PRINTED],
            is_cut=len(rows) > MOST_PRINTED,
        )

    def _offer_workbook(self, listing: Listing, count: int) -> ResponseReturnValue:
        """Render the page that requests a workbook, with links to those already requested."""
        jobs = workbooks.list_own(self.endpoint, by=current_actor(), now=clock.utcnow())
        return render_page(
            "screens/workbook.html",
            screen=self,
            listing=listing,
            counted=plural(count, *self.noun),
            most=format_count(current_app.config["CPRO_XLSX_ROWS"]),
            kept=plural(KEPT.days, "jour", "jours"),
            workbooks=[workbooks.describe(job, self._describe(job)) for job in jobs],
        )

    def _describe(self, job: Job) -> str:
        """Return the content of a workbook in a sentence: how many rows, with which search and filters."""
        narrowed, rows = self._listing_of(job).phrase(), (job.result or {}).get("rows")
        return ", ".join(filter(None, (self.title, narrowed, rows and plural(rows, *self.noun))))

    def _listing_of(self, job: Job) -> Listing:
        return self._read_listing(job.arguments["asked"])

    def _count(self, listing: Listing) -> int:
        """Return the number of rows of a list. Raises `DomainError` above the limit of a worksheet."""
        listed = self._selection(listing).statement.with_only_columns(self.model.id)
        count = count_rows(listed, most=spreadsheets.MOST_ROWS)
        if isinstance(count, MoreThan):
            most = format_count(spreadsheets.MOST_ROWS)
            raise DomainError(
                f"Un classeur XLSX tient {most} lignes au plus, et cette liste en a davantage\u202f: exportez-la en "
                "CSV, ou par parties avec les filtres."
            )
        return count

    def printed_columns(self) -> Sequence[Column]:
        """Return the columns of the page to print."""
        return self.open_columns()

    def _blocks(self, listing: Listing, *, as_text: bool, columns: Sequence[Column] | None = None) -> Iterator[Block]:
        """Yield the cells of every row of a list, as text or as workbook values; of all columns by default."""
        selection = self._selection(listing)
        shown = self.open_columns() if columns is None else columns
        return read_blocks(selection.statement, selection.order, shown, as_text=as_text, options=self.options)

    def _titles(self) -> list[str]:
        return [column.label for column in self.open_columns()]

    def _announce_export(self, listing: Listing, export_type: str) -> None:
        announce(events.exported, self, screen=self.title, sought=listing.phrase(), file_format=export_type)
