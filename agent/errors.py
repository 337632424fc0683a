"""What can go wrong with the models, as types with sentences.

    AgentError
    ├── ChatError                         chat completions
    │   ├── ChatNotConfiguredError            no service is set
    │   ├── ChatUnreachableError              no connection
    │   ├── ChatTimeoutError                  no answer in time
    │   ├── ChatRateLimitedError              429, after the retries
    │   ├── ChatAccessError                   401, 403, or no such deployment
    │   ├── ChatRejectedError                 400, 422: our request
    │   ├── ChatServiceError                  5xx, or no chat completion at all
    │   ├── ContentFilteredError              question or answer was withheld
    │   └── AnswerUnusableError               an answer that is not what was asked for
    ├── SDError                           Stable Diffusion WebUI
    │   ├── SDNotConfiguredError              no endpoint is set
    │   ├── PoolTimeoutError                  every instance stayed busy
    │   ├── PoolClosedError                   the server is shutting down
    │   ├── NoInstanceUpError                 every instance is down at the moment
    │   ├── UnknownInstanceError              no instance of this name or address
    │   ├── CallCanceledError                 the caller's job was canceled
    │   ├── InstanceUnreachableError          no connection: nothing was begun
    │   ├── InstanceBusyError                 still works on a call that nobody waits for
    │   ├── InstanceTimeoutError              no answer in time: the job may be running
    │   ├── InstanceConnectionLostError       the connection broke before the answer's end
    │   ├── InstanceServiceError              5xx
    │   ├── SDOutOfMemoryError                the GPU's memory was too small
    │   ├── BrokenAnswerError                 not JSON, no picture, too few pictures
    │   ├── SDAccessError                     401, 403
    │   ├── MissingOnInstanceError            checkpoint, sampler, ControlNet model, extension
    │   ├── PictureRejectedError              our own input was refused
    │   └── NothingFoundError                 SAM sees no such object
    └── MultiviewError                    the multi-view service
        ├── MultiviewNotConfiguredError       no endpoint is set
        ├── MultiviewUnreachableError         no connection
        ├── MultiviewTimeoutError             no answer in time
        ├── MultiviewServiceError             5xx, or a broken answer
        └── MultiviewRejectedError            4xx: our request

Each has `message`: what happened, with which service, and what to do. No message holds a key, a prompt or a picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from agent.attempts import Attempt
    from agent.conversation import ChatReply


class AgentError(Exception):
    """Anything that a model, or the way to it, did wrong."""

    def __init__(self, message: str) -> None:
        """Keep the sentence where callers find it without knowing the class."""
        super().__init__(message)
        self.message = message


class ChatError(AgentError):
    """Anything about chat; `replies` are the answers that came before it, for the record."""

    def __init__(self, message: str, replies: tuple[ChatReply, ...] = ()) -> None:
        """Keep the answers already paid for beside the sentence."""
        super().__init__(message)
        self.replies = replies


class ChatNotConfiguredError(ChatError):
    """No chat service is configured, or the values given cannot make a client."""


class ChatUnreachableError(ChatError):
    """No connection to the chat service came about, after the SDK's retries."""


class ChatTimeoutError(ChatError):
    """The chat service did not answer in time, after the SDK's retries."""


class ChatRateLimitedError(ChatError):
    """The service says 429 still, after the SDK waited as `Retry-After` asks; or the quota is used up."""


class ChatAccessError(ChatError):
    """The key is refused, or there is no such deployment or model for it."""


class ChatRejectedError(ChatError):
    """The service refuses our request (400, 409, 422): sending it again changes nothing."""


class ChatServiceError(ChatError):
    """The service failed (5xx, after retries) or answered something that is no chat completion."""


class ContentFilteredError(ChatError):
    """The service's content filter withheld the question or the answer."""


class AnswerUnusableError(ChatError):
    """The answer is empty or not of the form asked for; `reason` tells it so that a model can act on it."""

    def __init__(self, message: str, replies: tuple[ChatReply, ...] = (), reason: str = "") -> None:
        """Keep the reason apart: it goes back to the model, the message goes to people."""
        super().__init__(message, replies)
        self.reason = reason or message


class SDError(AgentError):
    """Anything about a Stable Diffusion WebUI or the pool of them.

    `elsewhere`: may the same work be sent to another instance without harm? Only where nothing runs on behind our
    back. `blames_instance`: is the instance itself to blame, so that the pool lets it rest?
    `instance` names the WebUI; `attempts` are all tries of the work, for the record.
    """

    elsewhere: ClassVar[bool] = False
    blames_instance: ClassVar[bool] = False

    def __init__(self, message: str, instance: str | None = None) -> None:
        """Keep the instance's name (host:port, and path if any) beside the sentence."""
        super().__init__(message)
        self.instance = instance
        self.attempts: tuple[Attempt, ...] = ()


class SDNotConfiguredError(SDError):
    """No WebUI is configured. Elsewhere: no, there is none."""


class PoolTimeoutError(SDError):
    """All instances stayed busy as long as the caller would wait. Elsewhere: no, all were asked."""


class PoolClosedError(SDError):
    """The pool is closed because the process ends. Elsewhere: no."""


class NoInstanceUpError(SDError):
    """Every instance is known to be down. Elsewhere: no, there is none; each is probed, and comes back by itself."""


class UnknownInstanceError(SDError):
    """The pool has no instance of this name, or cannot take this address. Elsewhere: no."""


class CallCanceledError(SDError):
    """The caller's job was canceled; nothing of it runs on any more. Elsewhere: no, nobody waits for it."""


class InstanceUnreachableError(SDError):
    """No connection came about, or no answer to a mere question. Elsewhere: yes, nothing was begun here."""

    elsewhere = True
    blames_instance = True


class InstanceBusyError(SDError):
    """A job that nobody waits for any more still runs there. Elsewhere: yes, ours was not sent."""

    elsewhere = True


class InstanceTimeoutError(SDError):
    """No answer in time. Elsewhere: yes, and it is told: the attempt stands in the record.

    The instance may still be painting, but a second picture from the same seed is the same, and what the first one
    becomes reaches nobody. `interrupted` says whether our job was cut short there; `settled` whether the instance is
    known to be idle.
    """

    elsewhere = True
    blames_instance = True

    def __init__(
        self, message: str, instance: str | None = None, *, interrupted: bool = False, settled: bool = False
    ) -> None:
        """Keep what is known about the job left behind."""
        super().__init__(message, instance)
        self.interrupted = interrupted
        self.settled = settled


class InstanceConnectionLostError(SDError):
    """The connection broke before the answer's end. Elsewhere: yes.

    Its picture can no longer reach us, and a second one from the same seed is the same; the instance may still be
    painting, so it is asked before its next job.
    """

    elsewhere = True
    blames_instance = True


class InstanceServiceError(SDError):
    """A 5xx was answered. Elsewhere: yes, the job has ended with the answer."""

    elsewhere = True
    blames_instance = True


class SDOutOfMemoryError(SDError):
    """The GPU's memory was too small. Elsewhere: yes, nothing runs on, and another GPU may have room."""

    elsewhere = True
    blames_instance = True


class BrokenAnswerError(SDError):
    """Not JSON, no decodable picture or fewer pictures than asked for. Elsewhere: yes, the answer ended the job."""

    elsewhere = True
    blames_instance = True


class SDAccessError(SDError):
    """User and password are refused. Elsewhere: yes, nothing was begun; other instances may have other ones."""

    elsewhere = True
    blames_instance = True


class MissingOnInstanceError(SDError):
    """A checkpoint, sampler, ControlNet model or extension is not there. Elsewhere: yes, nothing was begun."""

    elsewhere = True


class PictureRejectedError(SDError):
    """The WebUI refuses our input. Elsewhere: no, every instance would refuse it."""


class NothingFoundError(SDError):
    """SAM found no such object in the picture. Elsewhere: no, every instance sees the same."""


class MultiviewError(AgentError):
    """Anything about the multi-view service."""


class MultiviewNotConfiguredError(MultiviewError):
    """No multi-view service is configured."""


class MultiviewUnreachableError(MultiviewError):
    """No connection to the multi-view service came about."""


class MultiviewTimeoutError(MultiviewError):
    """The multi-view service did not answer in time; it may still be working."""


class MultiviewServiceError(MultiviewError):
    """The multi-view service failed or its answer is not what its protocol says."""


class MultiviewRejectedError(MultiviewError):
    """The multi-view service refuses our request."""
