"""The one command of the benches: each measure is a bench that is there, and what it tells is a row of one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as front
from bench.figures import VARIABLE, Figure, read, tell
from tests.helpers.platform import PROJECT_ROOT


def test_measures_are_benches_that_tell_figures() -> None:
    modules = {each.command(100).split()[0] for each in front.MEASURES.values()}
    sources = {name: (PROJECT_ROOT / "bench" / f"{name}.py").read_text(encoding="utf-8") for name in modules}

    assert {name for name, source in sources.items() if "tell(" not in source} == set()


def test_main_lists_the_measures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        front.main(["--help"])

    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(name in told and each.purpose in told for name, each in front.MEASURES.items())


def test_main_refuses_a_measure_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        front.main(["no-such-measure"])

    assert end.value.code == 2
    assert "no such measure: no-such-measure" in capsys.readouterr().err


@pytest.mark.slow
def test_main_runs_a_measure_and_prints_its_rows(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CPRO_DATABASE_URL", raising=False)

    assert front.main(["no-transfers", "--pupils", "100"]) == 0

    *_, head, _line, row = capfd.readouterr().out.strip().splitlines()
    assert head == "| measure | database | ours | Django | Flask-Admin | floor | ratio | goal | held |"
    assert row.startswith("| transfers of 2500 schools with nothing to do | SQLite | ")
    assert " | ≤ 0.5 s | " in row


@pytest.mark.parametrize(
    ("figure", "row"),
    [
        (
            Figure("import", "s", 3.0, floor=2.0, at_most=2.0),
            "| import | SQLite | 3.00 s |  |  | 2.00 s | 1.50 × | ≤ 2 × | yes |",
        ),
        (
            Figure("search", "ms", 5.0, django=100.0, flask_admin=200.0, faster=30.0),
            "| search | SQLite | 5.00 ms | 100 ms | 200 ms |  | 20.00 × | ≥ 30 × | **no** |",
        ),
        (Figure("peak", "MB", 151.0, at_most=150.0), "| peak | SQLite | 151 MB |  |  |  |  | ≤ 150 MB | **no** |"),
        (
            Figure("dashboard", "ms", 9.0, floor=0.5),
            "| dashboard | SQLite | 9.00 ms |  |  | 0.50 ms | 18.00 × |  | – |",
        ),
    ],
)
def test_row_says_whether_the_goal_is_held(figure: Figure, row: str) -> None:
    assert figure.row("SQLite") == row


def test_tell_keeps_figures_for_the_front_command_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figure, path = Figure("import", "s", 3.0, floor=2.0, at_most=2.0), tmp_path / "figures"
    monkeypatch.delenv(VARIABLE, raising=False)
    tell(figure)
    assert list(read(path)) == []

    monkeypatch.setenv(VARIABLE, str(path))
    tell(figure, figure)
    assert list(read(path)) == [figure, figure]
