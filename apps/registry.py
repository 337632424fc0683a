"""What each app brings to the parts that all share: its operations, and the prompts and presets that they use."""

from collections.abc import Mapping

from apps.stepideator import needs as stepideator
from apps.stepideator.operations import BY_NAME
from apps.stepideator.operations import FUNCTIONS as STEPIDEATOR_FUNCTIONS
from config import APP_ID_STEPIDEATOR
from jobs.run import OperationFunction
from store.documents import GenerationRecord

FUNCTIONS: Mapping[tuple[int, str], OperationFunction] = {
    (APP_ID_STEPIDEATOR, name): function for name, function in STEPIDEATOR_FUNCTIONS.items()
}
OPERATION_PRESETS: Mapping[tuple[int, str], tuple[str, ...]] = {
    (APP_ID_STEPIDEATOR, name): operation.all_presets for name, operation in BY_NAME.items()
}
"""Every image preset that some run of an operation uses; empty for an operation that only chats."""
PROMPTS = (*stepideator.PROMPTS,)
PRESETS = (*stepideator.PRESETS,)


def presets_of(record: GenerationRecord) -> tuple[str, ...]:
    """Name the image presets that the run of a record uses; empty for an operation that only chats."""
    if record.app_id != APP_ID_STEPIDEATOR:
        return OPERATION_PRESETS.get((record.app_id, record.operation), ())
    operation, inputs = BY_NAME[record.operation], record.inputs
    return operation.presets_for(has_canvas=bool(inputs.image_ids), stage=inputs.current_stage)
