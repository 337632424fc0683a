"""A figure: what was measured, what it must reach, and whether it does."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One row of the table; `remark` says what it was computed from."""

    what: str
    reached: float
    limit: float
    bound: Literal["at least", "at most"] = "at least"
    unit: str = ""
    remark: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the figure is reached."""
        return self.reached >= self.limit if self.bound == "at least" else self.reached <= self.limit

    @property
    def must(self) -> str:
        """The limit in words."""
        if self.bound == "at most" and self.limit == 0:
            return "0"
        return f"{'≥' if self.bound == 'at least' else '≤'} {self.limit:g}{self.unit}"

    @property
    def said(self) -> str:
        """What was reached, in words."""
        digits = 1 if self.unit.strip() in ("ms", "MB") else 3
        text = f"{self.reached:.{digits}f}" if self.reached != int(self.reached) else f"{self.reached:.0f}"
        return f"{text}{self.unit}"

    def as_dict(self) -> dict[str, Any]:
        """For the file that keeps it."""
        return asdict(self)
