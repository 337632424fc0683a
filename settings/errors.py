"""What can be wrong with the settings: one error type, which holds one or more problems."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Say what is wrong, and where: `file` relative to the settings folder, `key` dotted or empty."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.message) if part)


class SettingsError(Exception):
    """The settings cannot be used as they are; the message lists every problem on a line of its own."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        lines = [str(problem) for problem in problems]
        if len(lines) > 1:
            lines.insert(0, f"{len(lines)} problems in the settings:")
        super().__init__("\n  ".join(lines))
