"""Which errors are failures of the database's server, and which are defects: real ones, of SQLite and of PostgreSQL."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg.errors
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError
from sqlalchemy.pool import NullPool, QueuePool

from cpro.core.database_errors import Failure, find_failure, is_busy, was_undone
from tests.helpers.platform import free_port

pytestmark = pytest.mark.integration

#: Fails on a database of SQLite that has a table `pupil`, in the file given.
Fail = Callable[[Path], None]


def lite(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 0})


def meet_lock(path: Path) -> None:
    with lite(path).connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        with lite(path).begin() as other:
            other.exec_driver_sql("INSERT INTO pupil VALUES ('Zoé')")


def fill_disk(path: Path) -> None:
    with lite(path).begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 3")
        connection.exec_driver_sql("INSERT INTO pupil VALUES (zeroblob(100000))")


def write_read_only(path: Path) -> None:
    with lite(path).begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("INSERT INTO pupil VALUES ('Zoé')")


def read_no_database(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)
    read("SELECT * FROM pupil")(path)


def read_damaged_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)  # the page of the table
        file.write(b"\xff" * 4096)
    read("SELECT * FROM pupil")(path)


def open_missing_folder(path: Path) -> None:
    read("SELECT 1")(path / "missing" / "cpro.sqlite3")


def meet_error_of_disk(path: Path) -> None:
    with no_file_larger_than(path.stat().st_size), lite(path).begin() as connection:
        connection.exec_driver_sql("PRAGMA cache_spill = 1")
        connection.exec_driver_sql("INSERT INTO pupil VALUES (zeroblob(9000000))")


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Have the system refuse that any file of this process grows past a size, which SQLite reads as « EFBIG »."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def read(statement: str) -> Fail:
    def fail(path: Path) -> None:
        with lite(path).connect() as connection:
            connection.exec_driver_sql(statement).all()

    return fail


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Callable[[Fail], DBAPIError]:
    """Return a function that has something fail on SQLite, and returns the error."""

    def failed(fail: Fail) -> DBAPIError:
        path = tmp_path / "cpro.sqlite3"
        with lite(path).begin() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS pupil (name NOT NULL UNIQUE)")
        with pytest.raises(DBAPIError) as raised:
            fail(path)
        return raised.value

    return failed


@pytest.fixture
def on_postgresql(database: str) -> Iterator[Callable[..., DBAPIError]]:
    """Return a function that sends statements to PostgreSQL, and returns the error of the last."""
    engine = create_engine(database, poolclass=NullPool)

    def failed(*statements: str) -> DBAPIError:
        with pytest.raises(DBAPIError) as raised, engine.connect() as connection:
            for each in statements:
                connection.execute(text(each))
        return raised.value

    yield failed
    engine.dispose()


class TestFindFailure:
    @pytest.mark.parametrize(
        ("fail", "expected"),
        [
            (meet_lock, Failure.BUSY),
            (fill_disk, Failure.FULL),
            (write_read_only, Failure.READ_ONLY),
            (read_no_database, Failure.DAMAGED),
            (read_damaged_page, Failure.DAMAGED),
            (open_missing_folder, Failure.AWAY),
            (meet_error_of_disk, Failure.AWAY),
        ],
    )
    def test_find_failure_of_the_server_on_sqlite(
        self, on_sqlite: Callable[[Fail], DBAPIError], fail: Fail, expected: Failure
    ) -> None:
        assert find_failure(on_sqlite(fail)) is expected

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT first_name FROM pupil",
            "SELECT * FROM student",
            "SELEC 1",
            "SELECT abs(-9223372036854775808)",
            "SELECT CAST(x'c328' AS text)",
            "INSERT INTO pupil VALUES (NULL)",
        ],
    )
    def test_find_failure_a_defect_is_none_on_sqlite(
        self, on_sqlite: Callable[[Fail], DBAPIError], statement: str
    ) -> None:
        assert find_failure(on_sqlite(read(statement))) is None

    @pytest.mark.postgresql
    @pytest.mark.parametrize(
        ("statements", "expected"),
        [
            (["SET statement_timeout = 1", "SELECT pg_sleep(9)"], Failure.TOO_LONG),
            (["SET TRANSACTION READ ONLY", "CREATE TABLE pupil ()"], Failure.READ_ONLY),
            (["SELECT pg_terminate_backend(pg_backend_pid())"], Failure.AWAY),
            (["SELECT first_name FROM pg_class"], None),
            (["SELECT * FROM no_such_table"], None),
            (["SELEC 1"], None),
            (["SELECT 1 / 0"], None),
            (["EXECUTE no_such_statement"], None),
            (["FETCH FROM no_such_cursor"], None),
            (["SELECT currval(pg_get_serial_sequence('student', 'id'))"], None),
        ],
    )
    def test_find_failure_of_a_statement_on_postgresql(
        self, on_postgresql: Callable[..., DBAPIError], statements: list[str], expected: Failure | None
    ) -> None:
        assert find_failure(on_postgresql(*statements)) is expected

    @pytest.mark.postgresql
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("55P03", Failure.BUSY),
            ("40P01", Failure.BUSY),
            ("40001", Failure.BUSY),
            ("57014", Failure.TOO_LONG),
            ("53100", Failure.FULL),
            ("25006", Failure.READ_ONLY),
            ("XX001", Failure.DAMAGED),
            ("XX002", Failure.DAMAGED),
            *((state, Failure.AWAY) for state in ("08006", "53200", "53300", "57P01", "57P02", "57P03", "58030")),
            *((state, None) for state in ("26000", "34000", "54001", "54023", "55000", "55006", "XX000", "25P02")),
        ],
    )
    def test_find_failure_of_each_state_of_postgresql(
        self, on_postgresql: Callable[..., DBAPIError], state: str, expected: Failure | None
    ) -> None:
        error = on_postgresql(f"DO $$ BEGIN RAISE EXCEPTION 'for a test' USING ERRCODE = '{state}'; END $$")

        assert getattr(error.orig, "sqlstate", "") == state
        assert find_failure(error) is expected

    @pytest.mark.postgresql
    @pytest.mark.parametrize("elsewhere", [{"port": free_port()}, {"database": "no_such_database"}])
    def test_find_failure_a_server_that_takes_no_connection_is_away(
        self, database: str, elsewhere: dict[str, int | str]
    ) -> None:
        engine = create_engine(make_url(database).set(**elsewhere))  # type: ignore[arg-type]
        with pytest.raises(OperationalError) as raised, engine.connect():
            pass

        assert find_failure(raised.value) is Failure.AWAY

    def test_find_failure_no_connection_left_is_busy(self, tmp_path: Path) -> None:
        engine = create_engine(
            f"sqlite:///{tmp_path / 'a.sqlite3'}", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0
        )
        with engine.connect(), pytest.raises(TimeoutError) as raised:
            engine.connect()

        assert find_failure(raised.value) is Failure.BUSY

    @pytest.mark.parametrize("error", [ZeroDivisionError(), None])
    def test_find_failure_what_is_not_of_the_database_is_none(self, error: BaseException | None) -> None:
        assert find_failure(error) is None


class TestIsBusy:
    def test_is_busy_a_lock_is_and_a_full_disk_is_not(self, on_sqlite: Callable[[Fail], DBAPIError]) -> None:
        assert is_busy(on_sqlite(meet_lock))
        assert not is_busy(on_sqlite(fill_disk))


class TestWasUndone:
    @pytest.mark.parametrize(
        ("cause", "expected"),
        [
            (psycopg.errors.DeadlockDetected(), True),
            (psycopg.errors.SerializationFailure(), True),
            (psycopg.errors.LockNotAvailable(), False),
        ],
    )
    def test_was_undone_a_deadlock_was_and_a_lock_was_not(self, cause: Exception, expected: bool) -> None:
        assert was_undone(OperationalError("UPDATE account", {}, cause)) is expected
