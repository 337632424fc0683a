"""What this process remembers of sessions and studies, so that it need not be read again for every look."""

from dataclasses import dataclass, field

from flask import current_app

from apps.research.known import Known
from apps.research.overview import Overviews
from apps.research.session_rows import Stages

EXTENSION = "research"


@dataclass(frozen=True)
class Memory:
    """Sums over generations, the stages in which participants are, and the overviews of studies."""

    known: Known = field(default_factory=Known)
    stages: Stages = field(default_factory=Stages)
    overviews: Overviews = field(default_factory=Overviews)


def memory() -> Memory:
    """Return the memory of the app that serves the current request."""
    found: Memory = current_app.extensions.setdefault(EXTENSION, Memory())
    return found
