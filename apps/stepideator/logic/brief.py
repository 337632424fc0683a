"""The design brief: texts that open up the task."""

from collections.abc import Sequence

from apps.stepideator.answers import Brief, Card, ExistingProduct, Extension
from jobs.run import Run
from jobs.submission import Text


def create_new(run: Run) -> list[Text]:
    """Write design briefs for the task, each from another angle."""
    return _cards(run, "brief_create_new", Brief, "brief")


def reference(run: Run) -> list[Text]:
    """Describe existing products that are like the one to be designed."""
    return _cards(run, "brief_reference", ExistingProduct, "reference")


def extend(run: Run) -> list[Text]:
    """Find ideas around the selected texts."""
    return _cards(run, "brief_extend", Extension, "extend")


def _cards(run: Run, prompt: str, form: type[Card], kind: str) -> list[Text]:
    cards: Sequence[Card] = run.chat.ask_each(
        run.inputs.num, prompt, form, kind=kind, task=run.inputs.task, texts=run.texts
    )
    return [Text(card) for card in cards]
