"""What processes that have ended left in the ledger."""

from collections.abc import Iterable

from agent.host import Host
from agent.ledger import Transaction


def departed(now: Transaction, host: Host) -> list[str]:
    """Name the processes that stand in the ledger and have ended."""
    rows = now.rows(
        "SELECT process FROM calls UNION SELECT process FROM jobs UNION SELECT process FROM members"
        " UNION SELECT holder FROM instances WHERE holder IS NOT NULL"
    )
    return [row[0] for row in rows if not host.is_alive(row[0])]


def bury(change: Transaction, processes: Iterable[str]) -> None:
    """Free what these held; what they left running on an instance is asked about before its next call."""
    for process in processes:
        for table in ("calls", "jobs", "members"):
            change.run(f"DELETE FROM {table} WHERE process = ?", process)  # noqa: S608
        change.run(
            "UPDATE instances SET holder = NULL, call = NULL, job = NULL, share = NULL, unsettled = 1,"
            " abandoned_task = task WHERE holder = ?",
            process,
        )
