"""« Les incontournables » of one reader: what others do is worded as theirs, after the reader's own."""

from __future__ import annotations

import re

from tests.dashboard.test_checklist import Arrange, As, lines, pending, without_code
from tests.factories import World
from tests.helpers.pages import Page


class TestOthers:
    def test_others_what_they_do_is_worded_as_theirs_after_ones_own(
        self, as_: As, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            pending(session, world)
            without_code(session, world)
        consent, codes = "Donner l’accord du chef d’établissement", "Remettre les codes d’activation"

        for role, own, theirs in (("administrator", codes, consent), ("head", consent, codes)):
            page = Page(as_(role).get("/admin/"))
            order = [*lines(as_(role))]
            assert order.index(own) < order.index(theirs)
            assert f"{own} (à faire)" in page.text
            assert f"{theirs} (à faire par d’autres que vous)" in page.text
            assert f"Voir où cela en est : {theirs}" in page.text
            assert re.search(r"Il reste \d+ points à régler, (dont \d+ )?par d’autres que vous\.", page.text)
