"""What this process remembers of sessions and studies, so that it need not be read again for every look."""

from dataclasses import dataclass, field

from flask import current_app

from apps.research.known import Known
from apps.research.session_rows import Stages

EXTENSION = "research"


@dataclass(frozen=True)
class Memory:
    """Sums over generations, and the stages in which participants are."""

    known: Known = field(default_factory=Known)
    stages: Stages = field(default_factory=Stages)


def memory() -> Memory:
    """Return the memory of the app that serves the current request."""
    found: Memory = current_app.extensions.setdefault(EXTENSION, Memory())
    return found
