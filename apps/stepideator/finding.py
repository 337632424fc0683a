"""Finding generations: one by its id, many by what they have in common."""

from apps.errors import UnknownGenerationError
from apps.services import Services
from apps.stepideator.generation_schemas import GenerationsQuery
from apps.stepideator.job_schemas import JobsPage
from apps.stepideator.job_views import job_of
from jobs.viewing import JobView
from store.documents import GenerationRecord


def found(parts: Services, generation_id: str) -> JobView:
    """Look a job up.

    Raises:
        UnknownGenerationError: there is none of this id.
    """
    view = parts.jobs.view(generation_id)
    if view is None:
        raise UnknownGenerationError(generation_id)
    return view


def listed(parts: Services, query: GenerationsQuery) -> JobsPage:
    """List the generations that a query asks for, newest first; none for a name under which nobody came.

    Raises:
        CursorInvalidError: the cursor is none that this server gave out.
    """
    participant = None if query.username is None else parts.stores.participants.find(query.username)
    if query.username is not None and participant is None:
        return JobsPage(generations=[], next=None)
    page = parts.stores.generations.page(
        participant_id=participant.id if participant else None,
        operation=query.operation,
        state=query.state,
        since=query.since,
        limit=query.limit,
        before=query.cursor,
    )
    links = parts.pictures.links()
    return JobsPage(generations=[job_of(_at_a_glance(record), links) for record in page.records], next=page.next_cursor)


def _at_a_glance(record: GenerationRecord) -> JobView:
    """See a job as its record has it: cheap for many, and at most a second old."""
    if record.ended_at is not None:
        return JobView(record, progress=1.0, place=None, eta_s=None)
    live = record.live
    return JobView(record, live.progress, live.place, live.eta_s) if live else JobView(record, 0.0, None, None)
