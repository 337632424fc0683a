"""Finding generations: one by its id, many by what they have in common."""

from apps.errors import UnknownGenerationError
from apps.services import Services
from apps.stepideator.generation_schemas import GenerationsQuery
from apps.stepideator.job_schemas import JobsPage
from apps.stepideator.job_views import job_of
from jobs.viewing import JobView, at_a_glance


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
    return JobsPage(generations=[job_of(at_a_glance(record), links) for record in page.records], next=page.next_cursor)
