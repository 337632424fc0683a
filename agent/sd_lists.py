"""What an instance has, asked of it once and kept."""

from __future__ import annotations

from agent.capabilities import Capabilities, read_capabilities
from agent.errors import InstanceTimeoutError, InstanceUnreachableError
from agent.instance import SDInstance
from agent.sdapi import call_sdapi


def capabilities_of(instance: SDInstance, *, anew: bool = False) -> Capabilities:
    """Look up what the instance has; asked of it once, and again when `anew`. Raises SDError leaves."""
    if instance.capabilities is None or anew:
        try:
            instance.capabilities = read_capabilities(lambda path: call_sdapi(instance, path))
        except InstanceTimeoutError as exc:
            raise InstanceUnreachableError(
                f"the WebUI {instance.name} does not answer even a question; is it overloaded or frozen?", instance.name
            ) from exc
    return instance.capabilities
