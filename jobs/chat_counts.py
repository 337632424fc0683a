"""What a question cost at the chat service, told to the metrics call by call."""

from collections.abc import Sequence

from agent.conversation import ChatReply
from agent.errors import AnswerUnusableError, ChatError, ChatNotConfiguredError, ContentFilteredError
from jobs.metrics import Metrics

ANSWERED = "answered"


def count_calls(metrics: Metrics, replies: Sequence[ChatReply], took_s: float, error: ChatError | None = None) -> None:
    """Count every call that a question took.

    Args:
        replies: what the service answered, in order.
        took_s: seconds for the whole question; what no reply accounts for is the failed call's.
        error: how the question failed.
    """
    # These two are errors of an answer that did come; any other error stands for a call without one.
    has_failed_reply = bool(replies) and isinstance(error, AnswerUnusableError | ContentFilteredError)
    for index, reply in enumerate(replies):
        is_failed = has_failed_reply and index == len(replies) - 1
        result = type(error).__name__ if is_failed else ANSWERED
        metrics.chat_called(result, reply.duration_s, reply.prompt_tokens, reply.completion_tokens)
    was_called = not isinstance(error, ChatNotConfiguredError)
    if error is not None and was_called and not has_failed_reply:
        metrics.chat_called(type(error).__name__, max(took_s - sum(reply.duration_s for reply in replies), 0.0))
