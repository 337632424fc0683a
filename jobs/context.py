"""Which generation the current thread works for; log lines carry it."""

from contextvars import ContextVar

generation_id: ContextVar[str] = ContextVar("generation_id", default="-")
