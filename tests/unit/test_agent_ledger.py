"""What the processes share: one file, changed in whole transactions only, and laid anew when it is broken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import Host
from agent.ledger import Ledger

pytestmark = pytest.mark.unit


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Make the ledger of a process."""
    ledger = Ledger(Host(tmp_path / "pool", "one"))
    yield ledger
    ledger.close()
    ledger.host.stop()


def _jobs(ledger: Ledger) -> list[str]:
    with ledger.look() as now:
        return [row["job"] for row in now.rows("SELECT job FROM jobs ORDER BY job")]


def _add(ledger: Ledger, job: str) -> None:
    with ledger.change() as change:
        change.run("INSERT INTO jobs VALUES (?, 'one', '', 0)", job)


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    Ledger(Host(tmp_path / "pool", "one"))
    assert list(tmp_path.iterdir()) == []


def test_a_change_is_seen_by_everybody_after_it_and_by_nobody_before(ledger: Ledger) -> None:
    other = Ledger(Host(ledger.host.folder, "two"))
    with ledger.change() as change:
        change.run("INSERT INTO jobs VALUES ('a', 'one', '', 0)")
        assert _jobs(other) == []
    assert _jobs(other) == ["a"]
    other.close()


def test_an_exception_undoes_the_whole_change_and_nobody_is_told(ledger: Ledger) -> None:
    told = []
    with pytest.raises(RuntimeError), ledger.change() as change:
        change.run("INSERT INTO jobs VALUES ('a', 'one', '', 0)")
        change.after.append(lambda: told.append("a"))
        raise RuntimeError("in the middle")
    assert (_jobs(ledger), told) == ([], [])
    _add(ledger, "b")
    assert _jobs(ledger) == ["b"]


def test_others_are_told_only_when_it_is_true(ledger: Ledger) -> None:
    seen: list[list[str]] = []
    with ledger.change() as change:
        change.run("INSERT INTO jobs VALUES ('a', 'one', '', 0)")
        change.after.append(lambda: seen.append(_jobs(ledger)))
    assert seen == [["a"]]


@pytest.mark.parametrize(
    "broken", [b"no database at all, but long enough to be taken for one" * 40, b"SQLite format 3\0"]
)
def test_a_broken_file_is_laid_anew(ledger: Ledger, broken: bytes) -> None:
    _add(ledger, "a")
    ledger.close()
    folder = ledger.host.folder
    assert folder is not None
    [file] = folder.glob("*.sqlite3")
    for beside in folder.glob("*.sqlite3-*"):
        beside.unlink()
    file.write_bytes(broken)
    assert _jobs(ledger) == []
    _add(ledger, "b")
    assert _jobs(ledger) == ["b"]


def test_an_empty_file_is_filled(ledger: Ledger) -> None:
    folder = ledger.host.folder
    assert folder is not None
    folder.mkdir()
    (folder / "pool-2.sqlite3").touch()
    assert ledger.admitted() == 0


def test_without_a_folder_it_is_the_processs_own() -> None:
    one, other = (Ledger(Host(None, name)) for name in ("one", "two"))
    _add(one, "a")
    assert (one.admitted(), other.admitted()) == (1, 0)


def test_no_change_is_lost_when_many_make_one_at_once(ledger: Ledger) -> None:
    ledgers = [ledger, *(Ledger(Host(ledger.host.folder, f"other {n}")) for n in range(3))]

    def count(own: Ledger) -> None:
        for _ in range(25):
            with own.change() as change:
                row = change.row("SELECT value FROM learned WHERE key = 'count'")
                time.sleep(0.0005)
                change.run("INSERT OR REPLACE INTO learned VALUES ('count', ?, 1)", (row[0] if row else 0) + 1)

    threads = [threading.Thread(target=count, args=(own,)) for own in ledgers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ledger.learned("count") == 200
    for own in ledgers[1:]:
        own.close()


def test_no_more_jobs_are_admitted_than_there_may_be_also_if_all_ask_at_once(ledger: Ledger) -> None:
    admitted = []

    def ask(number: int) -> None:
        if ledger.admit(f"job {number}", "", limit=5):
            admitted.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(admitted) == ledger.admitted() == 5
    ledger.dismiss(f"job {admitted[0]}")
    ledger.dismiss("never admitted")
    assert ledger.admit("one more", "", limit=5)
    assert not ledger.admit("too many", "", limit=5)


def test_a_running_mean_begins_with_the_first_and_follows_the_later_ones(ledger: Ledger) -> None:
    assert ledger.learned("x") is None
    ledger.learn("x", 10.0)
    assert ledger.learned("x") == 10.0
    ledger.learn("x", 20.0)
    assert ledger.learned("x") == 15.0
    for _ in range(40):
        ledger.learn("x", 2.0)
    assert ledger.learned("x") == pytest.approx(2.0, abs=0.01)
