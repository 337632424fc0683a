"""What each app brings to the parts that all share: its operations, and the prompts and presets that they use."""

from collections.abc import Mapping

from apps.stepideator import needs as stepideator
from apps.stepideator.operations import FUNCTIONS as STEPIDEATOR_FUNCTIONS
from config import APP_ID_STEPIDEATOR
from jobs.run import OperationFunction

FUNCTIONS: Mapping[tuple[int, str], OperationFunction] = {
    (APP_ID_STEPIDEATOR, name): function for name, function in STEPIDEATOR_FUNCTIONS.items()
}
PROMPTS = (*stepideator.PROMPTS,)
PRESETS = (*stepideator.PRESETS,)
