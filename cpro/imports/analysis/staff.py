"""People of STS-Web compared with the school's accounts: by (ID, TYPE), never by name alone.

The head's rules: the file may bring a first head and further ones, who wait for the first one's consent; whoever is
head already is not touched, whatever the file says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from cpro.core.permissions import Role
from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.analysis.proposals import Changes, MatchCode, Note, Proposal, Tally, Yielded, notes_of
from cpro.imports.models import ChangeAction, ImportChange, ImportRun, RunState
from cpro.imports.rows import StaffRow
from cpro.imports.siecle.header import ExportKind
from cpro.students.models import Division, TeacherDivision
from cpro.users.models import Account
from cpro.users.operations import rules

_KIND = ExportKind.STAFF.label
_HEAD, _TEACHER, _LOCAL = "DIR", "ENS", "local"


class StaffAnalysis:
    """One reading of a file of people; `run` yields, then `tally` is known."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._accounts = list(
            db.session.scalars(
                select(Account)
                .where(Account.role_value.in_([Role.TEACHER.value, Role.HEAD.value]) | Account.sts_key.is_not(None))
                .order_by(Account.id)
            )
        )
        self._by_key = {account.sts_key: account for account in self._accounts if account.sts_key}
        self._divisions = self._list_divisions()
        self._seen: set[int] = set()
        self._head_is_there = rules.has_active(Role.HEAD)

    def run(self, people: Sequence[StaffRow]) -> Iterator[Yielded]:
        """Yield what each person changes, then the teachers whom the file does not name, unticked."""
        self.tally.active_before = sum(account.is_active for account in self._accounts)
        for row in people:
            yield from notes_of(row.findings, _KIND)
            yield from self._judge(row)
        if people:
            yield from self._absent()

    def _judge(self, row: StaffRow) -> Iterator[Yielded]:
        account = self._by_key.get(key_of(row))
        if account is not None:
            self._seen.add(account.id)
        if row.is_refused:
            self.tally.add("refused")
        elif row.is_ignored:
            self.tally.ignored += 1
            if account is not None:
                self._seen.discard(account.id)
        elif account is not None:
            yield from self._compare(row, account)
        elif row.function == _HEAD:
            yield from self._bring_head(row)
        elif row.function == _TEACHER or row.sts_type == _LOCAL or row.division_codes:
            yield from self._bring_teacher(row)
        else:
            self.tally.ignored += 1
            sentence = f"La fonction {row.function} ne donne pas de compte : créez-le à la main s’il en faut un."
            yield Note(MatchCode.NOT_TAUGHT, _KIND, row.line, sentence)

    def _compare(self, row: StaffRow, account: Account) -> Iterator[Yielded]:
        if account.role is not Role.TEACHER or row.function == _HEAD:
            self.tally.add("unchanged")
            if (account.role is Role.HEAD) != (row.function == _HEAD):
                sentence = "La fonction diffère du rôle du compte : un import ne change le rôle de personne."
                yield Note(MatchCode.ROLE_KEPT, _KIND, row.line, sentence)
            return
        changes = self._differences(row, account)
        if not account.is_active and not self._was_closed_by_import(account):
            sentence = "Ce compte a été désactivé à la main : il le reste."
            yield Note(MatchCode.CLOSED_BY_HAND, _KIND, row.line, sentence)
        elif not account.is_active:
            changes["is_active"] = (False, True)
            yield self.tally.note(_proposal(row, account.id, ChangeAction.REACTIVATE, changes))
            return
        if changes:
            yield self.tally.note(_proposal(row, account.id, ChangeAction.CHANGE, changes))
        else:
            self.tally.add("unchanged")

    def _differences(self, row: StaffRow, account: Account) -> Changes:
        wanted = _values(row)
        changes: Changes = {
            name: (getattr(account, name), value)
            for name, value in wanted.items()
            if value and value != getattr(account, name)
        }
        have, codes = self._divisions.get(account.id, []), sorted(row.division_codes)
        # Early in September the file has no service yet: it then says nothing of who teaches where.
        if codes and codes != have:
            changes["divisions"] = (have, codes)
        return changes

    def _bring_head(self, row: StaffRow) -> Iterator[Yielded]:
        if self._namesakes(row, Role.HEAD):
            self.tally.add("unchanged")
            sentence = "Un compte de chef d’établissement est déjà à ce nom : l’import n’y touche pas."
            yield Note(MatchCode.HEAD_IN_PLACE, _KIND, row.line, sentence)
            return
        changes: Changes = {"role": (None, Role.HEAD.value)}
        if self._head_is_there:
            sentence = "C’est un autre chef d’établissement : son compte attendra l’accord de celui qui est en place."
            yield Note(MatchCode.FURTHER_HEAD, _KIND, row.line, sentence)
            changes["consent_needed"] = (False, True)
        self._head_is_there = True
        changes |= {name: (None, value) for name, value in _values(row).items() if value and name != "discipline"}
        yield self.tally.note(_proposal(row, None, ChangeAction.CREATE, changes))

    def _bring_teacher(self, row: StaffRow) -> Iterator[Yielded]:
        namesakes = self._namesakes(row, Role.TEACHER)
        if namesakes:
            self._seen.update(account.id for account in namesakes)
            self.tally.add("refused")
            sentence = "Un compte d’enseignant créé à la main porte ce nom : dites s’il s’agit de la même personne."
            yield Note(MatchCode.TO_CONFIRM, _KIND, row.line, sentence)
            return
        changes: Changes = {"role": (None, Role.TEACHER.value)}
        changes |= {name: (None, value) for name, value in _values(row).items() if value}
        if row.division_codes:
            changes["divisions"] = ([], sorted(row.division_codes))
        yield self.tally.note(_proposal(row, None, ChangeAction.CREATE, changes))

    def _namesakes(self, row: StaffRow, role: Role) -> list[Account]:
        """Return the accounts of that role and name whom no number of STS-Web identifies."""
        unnumbered = (account for account in self._accounts if account.role is role and not account.sts_key)
        name = fold(f"{row.last_name} {row.first_name}")
        return [account for account in unnumbered if fold(f"{account.last_name} {account.first_name}") == name]

    def _absent(self) -> Iterator[Proposal]:
        for account in self._accounts:
            if account.role is Role.TEACHER and account.sts_key and account.is_active and account.id not in self._seen:
                changes: Changes = {"is_active": (True, False)}
                yield self.tally.note(
                    Proposal(
                        "account", account.id, account.sts_key, account.label, ChangeAction.DEACTIVATE, changes, False
                    )
                )

    def _was_closed_by_import(self, account: Account) -> bool:
        last = db.session.scalars(
            select(ImportChange.action_value)
            .join(ImportRun, ImportRun.id == ImportChange.run_id)
            .where(
                ImportRun.state_value == RunState.APPLIED.value,
                ImportChange.object_type == "account",
                ImportChange.object_id == account.id,
                ImportChange.is_selected,
                ImportChange.action_value.in_([ChangeAction.DEACTIVATE.value, ChangeAction.REACTIVATE.value]),
            )
            .order_by(ImportChange.id.desc())
            .limit(1)
        ).first()
        return last == ChangeAction.DEACTIVATE.value

    def _list_divisions(self) -> dict[int, list[str]]:
        divisions: dict[int, list[str]] = {}
        rows = db.session.execute(
            select(TeacherDivision.account_id, Division.code)
            .join(Division, Division.id == TeacherDivision.division_id)
            .order_by(Division.code)
        )
        for account_id, code in rows:
            divisions.setdefault(account_id, []).append(code)
        return {account_id: sorted(codes) for account_id, codes in divisions.items()}


def key_of(row: StaffRow) -> str:
    """Return the key of a person of STS-Web as accounts keep it."""
    return f"{row.sts_type}:{row.sts_id}"


def _values(row: StaffRow) -> dict[str, str]:
    return {
        "civility": row.civility,
        "last_name": row.last_name,
        "first_name": row.first_name,
        "discipline": ", ".join(row.disciplines)[:100],
    }


def _proposal(row: StaffRow, account_id: int | None, action: ChangeAction, changes: Changes) -> Proposal:
    return Proposal("account", account_id, key_of(row), f"{row.first_name} {row.last_name}", action, changes)
