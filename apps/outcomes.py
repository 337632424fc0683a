"""What came of a generation, for a route that waited for it."""

from collections.abc import Sequence

from apps.errors import RecordedError
from store.documents import ErrorRecord, GenerationRecord, Output

CANCELED = ErrorRecord(type="JobCanceledError", message="the generation was canceled")


def made_by(record: GenerationRecord) -> Sequence[Output]:
    """Return the results of a generation that has ended, in their order.

    Raises:
        RecordedError: it failed or was canceled, whichever process it ran in.
    """
    if record.state != "succeeded":
        raise RecordedError(record.error or CANCELED, record.request_id)
    return sorted(record.outputs, key=lambda output: output.index)
