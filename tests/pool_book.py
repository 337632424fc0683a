"""The pool's book on made-up instances, with a clock that the test moves."""

from __future__ import annotations

from agent import desk
from agent.desk import Entry, Outcome
from agent.ledger import Transaction

T0 = 1_000_000.0


class Book:
    """A ledger with instances gpu0, gpu1, ... and a clock that the test moves."""

    def __init__(self, change: Transaction) -> None:
        self.change = change
        self.now = T0
        self.told: list[int] = []

    def instance(self, name: str, checkpoint: str | None = None, **more: object) -> None:
        """Write an instance down."""
        self.change.run(
            "INSERT INTO instances (endpoint, name, checkpoint) VALUES (?, ?, ?)", f"http://{name}", name, checkpoint
        )
        for column, value in more.items():
            self.change.run(f"UPDATE instances SET {column} = ? WHERE name = ?", value, name)  # noqa: S608

    def enter(
        self,
        checkpoint: str | None = None,
        share: str = "",
        size: float | None = None,
        pictures: int = 1,
        needs: str = "",
        avoid: str = "",
    ) -> int:
        """Let a call come, and schedule."""
        entry = Entry(checkpoint, share, f"job of {share}", size, pictures, _words(needs), _words(avoid))
        number = desk.enter(self.change, "process", entry, self.now)
        self.schedule()
        return number

    def schedule(self) -> None:
        """Run the scheduler, and note who was told."""
        already = len(self.change.after)
        desk.schedule(self.change, self.now, 120.0, lambda _process, number: self.told.append(number))
        for step in self.change.after[already:]:
            step()

    def where(self, number: int) -> str | None:
        """Name the instance that a call was granted; "" if it was refused."""
        row = self.change.row("SELECT endpoint FROM calls WHERE id = ?", number)
        assert row is not None
        return row["endpoint"].removeprefix("http://") if row["endpoint"] is not None else None

    def ends(self, number: int, **outcome: object) -> None:
        """Let a granted call end, and schedule."""
        values = {"served": True, "checkpoint": self._wanted(number)} | outcome
        name = self.where(number)
        desk.clear(self.change, f"http://{name}", "process", number, Outcome(**values), self.now)  # type: ignore[arg-type]
        self.schedule()

    def of(self, name: str, column: str) -> object:
        """Read what is written about an instance."""
        row = self.change.row("SELECT * FROM instances WHERE name = ?", name)
        assert row is not None
        return row[column]

    def _wanted(self, number: int) -> str | None:
        row = self.change.row("SELECT checkpoint FROM calls WHERE id = ?", number)
        assert row is not None
        return row["checkpoint"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())
