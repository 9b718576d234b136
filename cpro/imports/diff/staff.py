"""Compare the people of STS-Web, or of a table, with the school's accounts: by their number, never by name alone.

A number is (ID, TYPE) in STS-Web; in a table it is the school's own, or else the e-mail address of a teacher.
Rules for heads: the file may create a first head and further ones, who wait for the first one's consent; it never
changes an existing head.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import select

from cpro.core.formatting import person_name
from cpro.core.permissions import Permission
from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.changes import DIVISIONS, SERVICES, Changes, Pair, creating
from cpro.imports.diff.created_lines import SAME_LINE, CreatedLines
from cpro.imports.diff.matching import LEFT_OUT, is_near, make_question_key
from cpro.imports.diff.proposals import (
    Answers,
    MatchCode,
    Note,
    Proposal,
    Question,
    Tally,
    Yielded,
    find_answer,
    list_notes,
)
from cpro.imports.diff.services import list_known_services, merge_services
from cpro.imports.models import ChangeAction, ImportChange, ImportRun, RunState
from cpro.imports.parse.records import StaffRecord
from cpro.imports.parse.siecle.header import ExportKind
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.students.models import Division, TeacherDivision
from cpro.users import roles
from cpro.users.models import Account
from cpro.users.operations import rules

_TWICE = "Deux lignes désignent le même compte : la seconde n’est pas reprise."
_NAMESAKE = "Un compte d’enseignant porte ce nom, sans numéro qui le confirme : dites s’il s’agit de la même personne."
_SAME_ADDRESS = (
    "Un compte d’enseignant a cette adresse électronique, sous un autre nom : dites s’il s’agit de la même personne."
)
_HEAD_WITHOUT_EMAIL = (
    "L’adresse électronique d’un chef d’établissement n’est pas reprise d’un fichier : son compte est créé sans, à "
    "indiquer dans l’application."
)
#: Common names of the functions that get no account.
_CALLED = {"EDU": " (CPE)", "DOC": " (documentaliste)"}
_HEAD, _TEACHER, _LOCAL = "DIR", "ENS", "local"


class StaffAnalysis:
    """One reading of a file of people; `run` yields, then `tally` is known."""

    def __init__(
        self, *, answers: Answers | None = None, is_table: bool = False, division_codes: Collection[str] = ()
    ) -> None:
        """Read the accounts; `division_codes` are those that pupils of the same tables name."""
        self.tally = Tally()
        self._answers, self._is_table = answers or {}, is_table
        self._kind = WorksheetKind.STAFF.value if is_table else ExportKind.STAFF.label
        self._accounts = list(
            db.session.scalars(
                select(Account)
                .where(
                    Account.holds(Permission.PUPILS_EVALUATE)
                    | Account.holds(Permission.USERS_CONSENT)
                    | Account.sts_key.is_not(None)
                )
                .order_by(Account.id)
            )
        )
        self._by_key = {account.sts_key: account for account in self._accounts if account.sts_key}
        self._by_login = {account.login: account for account in self._accounts}
        #: the accounts found by a number, a login or an address of the file
        self._named: set[int] = set()
        self._asked: set[str] = set()
        self._created = CreatedLines()
        self._divisions = self._list_divisions()
        self._services = list_known_services([account.id for account in self._accounts])
        self._codes = {*division_codes, *(db.session.scalars(select(Division.code)) if is_table else ())}
        self._seen: set[int] = set()
        self._head_is_there = rules.has_active(Permission.USERS_CONSENT)

    def run(self, people: Sequence[StaffRecord]) -> Iterator[Yielded]:
        """Yield the changes for each person, then the teachers missing from the file, unticked."""
        self.tally.active_before = sum(account.is_active for account in self._accounts)
        self._named = {account.id for record in people if (account := self._find(record))}
        for record in people:
            yield from list_notes(record.findings, self._kind, record.label)
            yield from self._judge_table(record) if self._is_table else self._judge(record)
        if people:
            yield from self._absent()

    def _judge(self, record: StaffRecord) -> Iterator[Yielded]:
        account = self._find(record)
        if record.is_refused or record.is_ignored:
            self._count_out(record, account)
        elif account is not None and account.id in self._seen:
            yield self._refuse(record, _TWICE)
        elif account is not None and not _looks_alike(record, account):
            yield from self._ask(record, self._objection(record, account), [account], can_create=False)
        elif account is not None:
            self._seen.add(account.id)
            yield from self._compare(record, account)
        elif record.function == _HEAD:
            yield from self._judge_head(record)
        elif record.function == _TEACHER or record.sts_type == _LOCAL or record.division_codes:
            yield from self._judge_teacher(record)
        else:
            self.tally.ignored += 1
            sentence = (
                f"La fonction {record.function}{_CALLED.get(record.function, '')} ne donne pas de compte : seuls les "
                "enseignants et la direction en reçoivent un par un fichier. Créez-le à la main s’il en faut un."
            )
            yield self._note(MatchCode.NOT_TAUGHT, record, sentence)

    def _find(self, record: StaffRecord) -> Account | None:
        """Return the account that a record identifies by a number, or a teacher's by address and name."""
        account = self._by_login.get(record.login) or self._by_key.get(self._key_of(record))
        if account is not None:
            return account
        same = self._find_by_address(record)
        return same if same and fold(same.last_name) == fold(record.last_name) else None

    def _objection(self, record: StaffRecord, account: Account) -> str:
        """Return why the account found for a record must be confirmed, according to how `_find` found it."""
        if self._by_login.get(record.login) is account:
            named_by = "L’identifiant"
        else:
            named_by = "Le numéro" if self._by_key.get(self._key_of(record)) is account else "L’adresse électronique"
        return f"{named_by} désigne un compte dont le nom ne correspond pas : dites s’il s’agit de la même personne."

    def _find_by_address(self, record: StaffRecord) -> Account | None:
        """Return the only account, a teacher's, with the address of a record."""
        if not record.email:
            return None
        same = [each for each in self._accounts if each.email.casefold() == record.email.casefold()]
        return same[0] if len(same) == 1 and same[0].can(Permission.PUPILS_EVALUATE) else None

    def _count_out(self, record: StaffRecord, account: Account | None) -> None:
        """Count a line that is not to be written; its person is not absent, unless it is a leftover of STS-Web."""
        if record.is_refused:
            self.tally.add("refused")
        else:
            self.tally.ignored += 1
        if record.is_refused or self._is_table:
            self._seen.update({account.id} if account else {each.id for each in self._list_namesakes(record)})

    def _key_of(self, record: StaffRecord) -> str:
        """Return the key of a person as stored in accounts, "" for one without a number."""
        if self._is_table:
            return f"table:{record.sts_id}" if record.sts_id else ""
        return get_key(record)

    def _judge_table(self, record: StaffRecord) -> Iterator[Yielded]:
        """Check a record, dropping divisions that the school does not have: a table of staff creates none."""
        known = tuple(code for code in record.division_codes if code in self._codes)
        for code in record.division_codes:
            if code not in self._codes:
                sentence = f"Aucune division ne porte le code « {code} » : elle est laissée de côté."
                yield self._note(MatchCode.DIVISION_UNKNOWN, record, sentence)
        yield from self._judge(record._replace(division_codes=known))

    def _compare(self, record: StaffRecord, account: Account) -> Iterator[Yielded]:
        if not account.can(Permission.PUPILS_EVALUATE) or record.function == _HEAD:
            self.tally.add("unchanged")
            if account.can(Permission.USERS_CONSENT) != (record.function == _HEAD):
                sentence = "La fonction diffère du rôle du compte : un import ne change le rôle de personne."
                yield self._note(MatchCode.ROLE_KEPT, record, sentence)
            return
        if record.email and account.email and record.email.casefold() != account.email.casefold():
            sentence = "L’adresse électronique diffère de celle du compte : celle du compte reste."
            yield self._note(MatchCode.EMAIL_KEPT, record, sentence)
        changes = self._differences(record, account)
        if record.is_closed and not account.is_active:
            self.tally.add("unchanged")
            return
        if not account.is_active and not self._was_closed_by_import(account):
            sentence = "Ce compte a été désactivé à la main : il le reste."
            yield self._note(MatchCode.CLOSED_BY_HAND, record, sentence)
        elif not account.is_active:
            changes["is_active"] = Pair(False, True)
            yield self.tally.note(self._proposal(record, account.id, ChangeAction.REACTIVATE, changes))
            return
        if changes:
            yield self.tally.note(self._proposal(record, account.id, ChangeAction.CHANGE, changes))
        else:
            self.tally.add("unchanged")

    def _differences(self, record: StaffRecord, account: Account) -> Changes:
        wanted = _values(record)
        changes: Changes = {
            name: Pair(getattr(account, name), value)
            for name, value in wanted.items()
            if value and value != getattr(account, name)
        }
        if self._is_table and "last_name" in changes and record.last_name == account.last_name.upper():
            del changes["last_name"]  # our own exports write it in capitals
        if record.email and not account.email:
            changes["email"] = Pair("", record.email)
        key = self._key_of(record)
        if key and key != account.sts_key and key not in self._by_key:
            changes["sts_key"] = Pair(account.sts_key, key)
        have, services = self._divisions.get(account.id, []), self._services.get(account.id, [])
        codes = sorted(record.division_codes)
        wanted_codes = merge_services(have, services, codes)
        # Early in September the file has no service yet, so it does not say who teaches where.
        if codes and wanted_codes != have:
            changes |= {DIVISIONS: Pair(have, wanted_codes), SERVICES: Pair(services, codes)}
        return changes

    def _judge_head(self, record: StaffRecord) -> Iterator[Yielded]:
        namesakes = self._namesakes(record, Permission.USERS_CONSENT)
        if namesakes:
            self.tally.add("unchanged")
            waits = all(each.is_pending for each in namesakes)
            code = MatchCode.HEAD_WAITING if waits else MatchCode.HEAD_IN_PLACE
            what = "attend l’accord du chef en place" if waits else "est déjà à ce nom"
            sentence = f"Un compte de chef d’établissement {what} : l’import n’y touche pas."
            yield self._note(code, record, sentence)
            return
        if record.email:
            yield self._note(MatchCode.HEAD_WITHOUT_EMAIL, record, _HEAD_WITHOUT_EMAIL)
        changes = creating({"role": roles.HEAD})
        if self._head_is_there:
            sentence = "C’est un autre chef d’établissement : son compte attendra l’accord de celui qui est en place."
            yield self._note(MatchCode.FURTHER_HEAD, record, sentence)
            changes["consent_needed"] = Pair(False, True)
        self._head_is_there = True
        changes |= creating(_values(record) | {"discipline": ""})
        yield self.tally.note(self._proposal(record, None, ChangeAction.CREATE, changes))

    def _judge_teacher(self, record: StaffRecord) -> Iterator[Yielded]:
        namesakes = self._namesakes(record, Permission.PUPILS_EVALUATE)
        same = self._find_by_address(record)
        if len(namesakes) == 1 and self._is_repeated_in_words(record, namesakes[0]):
            self._seen.add(namesakes[0].id)
            yield from self._compare(record, namesakes[0])
        elif namesakes:
            yield from self._ask(record, _NAMESAKE, namesakes, can_create=True)
        elif same and same.id not in self._seen | self._named:
            yield from self._ask(record, _SAME_ADDRESS, [same], can_create=True)
        elif sentence := self._find_line_alike(record):
            yield from self._ask(record, sentence, (), can_create=True)
        else:
            yield from self._create_teacher(record)

    def _find_line_alike(self, record: StaffRecord) -> str:
        """Return the question whether an earlier line of a table is about the same person, or "" for none."""
        if not self._is_table:
            return ""
        by_address = self._created.find_alike(record.email.casefold()) if record.email else 0
        line = by_address or self._created.find_alike(_name_of(record), record.sts_id)
        what = "a cette adresse électronique" if by_address else "porte ce nom"
        return SAME_LINE.format(line=line, what=what) if line else ""

    def _is_repeated_in_words(self, record: StaffRecord, account: Account) -> bool:
        """Return whether a line of a table without numbers says nothing new about its namesake."""
        has_other_email = record.email and record.email.casefold() != account.email.casefold()
        return self._is_table and account.is_active and not has_other_email and not self._differences(record, account)

    def _ask(
        self, record: StaffRecord, sentence: str, candidates: Sequence[Account], *, can_create: bool
    ) -> Iterator[Yielded]:
        """Yield the question whose account a record is about, and the effect of the answer once given."""
        by_id = {account.id: account for account in candidates}
        key = self._make_question_key(record, "account" if candidates else "line")
        answer = find_answer(self._answers, key, by_id.keys())
        described = tuple((account.id, f"{account.label}, identifiant {account.login}") for account in candidates)
        yield Question(key, "account", record.line, _described(record), sentence, described, can_create, answer)
        if answer and answer not in self._seen:
            self._seen.add(answer)
            yield from self._compare(record, by_id[answer])
        elif answer == 0 and can_create:
            yield from self._create_teacher(record)
        else:
            self._seen.update(by_id)
            why = sentence if answer is None else LEFT_OUT if answer == 0 else _TWICE
            yield self._refuse(record, why, is_open=answer is None)

    def _make_question_key(self, record: StaffRecord, family: str) -> str:
        said = self._key_of(record), record.last_name, record.first_name, record.email
        key = make_question_key(family, *said)
        if key in self._asked:
            key = make_question_key(family, *said, record.line)
        self._asked.add(key)
        return key

    def _create_teacher(self, record: StaffRecord) -> Iterator[Yielded]:
        if record.email:
            self._created.note(record.email.casefold(), record.line)
        self._created.note(_name_of(record), record.line, record.sts_id)
        changes = creating({"role": roles.TEACHER, **_values(record), "email": record.email})
        if record.division_codes:
            changes[DIVISIONS] = Pair([], sorted(record.division_codes))
        yield self.tally.note(self._proposal(record, None, ChangeAction.CREATE, changes))

    def _refuse(self, record: StaffRecord, sentence: str, *, is_open: bool = False) -> Note:
        return self._note(self.tally.refuse(is_open=is_open), record, sentence)

    def _note(self, code: MatchCode, record: StaffRecord, sentence: str) -> Note:
        return Note(code, self._kind, record.line, sentence, record.label)

    def _proposal(
        self, record: StaffRecord, account_id: int | None, action: ChangeAction, changes: Changes
    ) -> Proposal:
        return Proposal("account", account_id, self._key_of(record), record.label, action, changes)

    def _namesakes(self, record: StaffRecord, permission: Permission) -> list[Account]:
        """Return the accounts of that role and name that no line of the file matches.

        A different number does not distinguish them: a contract teacher who is appointed gets another.
        """
        met = self._seen | self._named
        return [each for each in self._list_namesakes(record) if each.can(permission) and each.id not in met]

    def _list_namesakes(self, record: StaffRecord) -> list[Account]:
        return [each for each in self._accounts if each.is_named(record.last_name, record.first_name)]

    def _absent(self) -> Iterator[Proposal]:
        for account in self._accounts:
            is_concerned = account.can(Permission.PUPILS_EVALUATE) and (account.sts_key or self._is_table)
            if is_concerned and account.is_active and account.id not in self._seen:
                changes = {"is_active": Pair(True, False)}
                yield self.tally.note(
                    Proposal(
                        "account",
                        account.id,
                        account.sts_key or "",
                        person_name(account.last_name, account.first_name),
                        ChangeAction.DEACTIVATE,
                        changes,
                        False,
                    )
                )

    def _was_closed_by_import(self, account: Account) -> bool:
        last = db.session.scalars(
            select(ImportChange.action)
            .join(ImportRun, ImportRun.id == ImportChange.run_id)
            .where(
                ImportRun.state == RunState.APPLIED,
                ImportChange.object_type == "account",
                ImportChange.object_id == account.id,
                ImportChange.is_selected,
                ImportChange.action.in_([ChangeAction.DEACTIVATE, ChangeAction.REACTIVATE]),
            )
            .order_by(ImportChange.id.desc())
            .limit(1)
        ).first()
        return last is ChangeAction.DEACTIVATE

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


def get_key(record: StaffRecord) -> str:
    """Return the key of a person of STS-Web as stored in accounts."""
    return f"{record.sts_type}:{record.sts_id}"


def _values(record: StaffRecord) -> dict[str, str]:
    return {
        "civility": record.civility,
        "last_name": record.last_name,
        "first_name": record.first_name,
        "discipline": ", ".join(record.disciplines)[:100],
    }


def _looks_alike(record: StaffRecord, account: Account) -> bool:
    """Return whether an account's number may identify a person without asking: the family name may be a married one.

    A shortened first name (Jo for Joseph) is the same.
    """
    names = sorted((fold(record.first_name), fold(account.first_name)), key=len)
    return is_near(record.first_name, account.first_name) or names[1].startswith(names[0])


def _name_of(record: StaffRecord) -> tuple[str, str]:
    return fold(record.last_name), fold(record.first_name)


def _described(record: StaffRecord) -> str:
    parts = [record.label, record.function, ", ".join(record.disciplines), ", ".join(record.division_codes)]
    return ", ".join(part for part in parts if part)
