"""What the current thread works for: log lines carry generation and request, outputs name the step that made them."""

from contextvars import Context, ContextVar

generation_id: ContextVar[str] = ContextVar("generation_id", default="-")
request_id: ContextVar[str] = ContextVar("request_id", default="-")
last_step: ContextVar[str] = ContextVar("last_step", default="")
"""The id of the step that ended last in this thread, or in the one that started it."""


def context_of(generation: str, request: str) -> Context:
    """Make the context in which a job runs.

    It is a new one: that of the request would keep its body, and whatever else its thread knew, in memory until the end
    of the job.
    """
    context = Context()
    context.run(generation_id.set, generation)
    context.run(request_id.set, request)
    return context
