"""What can go wrong with a job as a whole, beside what its model services and the store meet.

JobError
├── QueueFullError       there are as many jobs as QUEUE_LIMIT allows; nothing was kept, come back later
├── UnservableError      no instance has what the operation's presets name; nothing was kept
├── InvalidOverrideError a rerun that cannot be made so; nothing was kept
├── JobTimeoutError      it did not end within JOB_TIMEOUT
├── StoppingError        this server process is being stopped and takes nothing new
├── UnknownHostError     no worker host of this name lives
├── HostNotNamedError    several worker hosts may be meant
├── HostSilentError      a worker host did not answer in time, or could not be asked
└── JobCanceledError     somebody canceled it, or it was taken from this process; raised between its steps
"""


class JobError(Exception):
    """Say why a job was not taken or does not go on; the leaves say what."""


class QueueFullError(JobError):
    """Say that the queue is full; `retry_after_s` is when a place may be free."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnservableError(JobError):
    """Say that every instance lacks a checkpoint or a ControlNet model that the operation needs."""


class InvalidOverrideError(JobError):
    """Say what a rerun may not change, or which version its parent used that cannot be had any more."""


class JobTimeoutError(JobError):
    """Say that a job was given up, as it did not end in the time that a job has."""


class StoppingError(JobError):
    """Say that this process takes no job any more, as it is being stopped."""


class UnknownHostError(JobError):
    """Say that no worker host of this name lives."""


class HostNotNamedError(JobError):
    """Say which worker hosts may be meant, as the order names none."""


class HostSilentError(JobError):
    """Say that a worker host did not answer; it may have done what it was told all the same."""


class JobCanceledError(JobError):
    """Say that a job does not go on; whoever ended it has written why."""
