"""What the current thread works for: log lines carry the generation, outputs name the step that made them."""

from contextvars import ContextVar

generation_id: ContextVar[str] = ContextVar("generation_id", default="-")
last_step: ContextVar[str] = ContextVar("last_step", default="")
"""The id of the step that ended last in this thread, or in the one that started it."""
