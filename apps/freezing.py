"""Freezing a study: sealing what its data will be made with, and noticing when that is another than was sealed.

`seals.differences(study)` is asked for every generation of a frozen study. Everything that it compares is in memory for
some seconds; so a change is noticed within `FRESH_S`, and a check costs next to nothing.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from agent.capabilities import bare_checkpoint, without_hash
from agent.models import Model
from apps.sealing import Content, Difference, Facts, content_of, differences, hash_of
from jobs.parts import Parts
from store.errors import DamagedError
from store.studies import Study

FRESH_S = 5.0
CONFIGURATION = ("name", "description", "task", "consent_text", "planned", "drift_policy")
"""What of a study is sealed, beside its conditions."""


class Seals:
    """Seals studies, and compares them with what is there now. Thread-safe.

    Args:
        prompts, presets: names of all that the apps use.
        models: gives the models of all WebUIs, of this host or of the worker hosts.
        version: the server's.
    """

    def __init__(
        self,
        parts: Parts,
        prompts: Iterable[str],
        presets: Iterable[str],
        models: Callable[[], tuple[Model, ...]],
        version: str,
    ) -> None:
        self._parts = parts
        self._prompts, self._presets = sorted(prompts), sorted(presets)
        self._models = models
        self._version = version
        self._lock = threading.Lock()
        self._facts: tuple[float, Facts] | None = None
        self._found: dict[str, tuple[float, list[Difference]]] = {}
        self._contents: dict[str, Content] = {}

    def content(self, study: Study) -> Content:
        """Put together what would be sealed now."""
        return content_of(configuration_of(study), self._facts_now(anew=True), self._needed(study))

    def sealed(self, study: Study) -> Content | None:
        """Read what was sealed; None for a study that is not frozen.

        Raises:
            DamagedError: it is not there any more, or is another than its hash says.
            StoreError: it cannot be read.
        """
        if study.seal is None:
            return None
        found = self._contents.get(study.seal.content_sha256)
        if found is None:
            kept = self._parts.stores.contents.get(study.seal.content_sha256)
            if kept is None or hash_of(kept.text) != study.seal.hash:
                raise DamagedError(f"what was sealed of the study {study.id} is missing or damaged")
            found = self._contents[study.seal.content_sha256] = json.loads(kept.text)
        return found

    def differences(self, study: Study) -> list[Difference]:
        """List what is not as it was sealed, as of some seconds ago at most; none for a study that is not frozen.

        Raises as `sealed` does.
        """
        sealed = self.sealed(study)
        if sealed is None:
            return []
        key = f"{study.id}/{study.revision}"
        at_s, found = self._found.get(key, (-FRESH_S, []))
        if time.monotonic() - at_s > FRESH_S:
            found = differences(sealed, configuration_of(study), self._facts_now())
            with self._lock:
                self._found = {**self._young(), key: (time.monotonic(), found)}
        return found

    def _young(self) -> dict[str, tuple[float, list[Difference]]]:
        return {key: one for key, one in self._found.items() if time.monotonic() - one[0] <= FRESH_S}

    def _facts_now(self, *, anew: bool = False) -> Facts:
        with self._lock:
            if anew or self._facts is None or time.monotonic() - self._facts[0] > FRESH_S:
                self._facts = (time.monotonic(), Facts(self._files(), self._models(), self._services()))
            return self._facts[1]

    def _files(self) -> dict[str, str]:
        book = self._parts.book
        return {
            **{f"prompt:{name}": book.prompt(name).hash for name in self._prompts},
            **{f"preset:{name}": book.preset(name).hash for name in self._presets},
            "directions:directions": book.directions().hash,
            "views:views": book.views().hash,
        }

    def _services(self) -> dict[str, str]:
        chat = self._parts.chat
        return {
            "chat": "" if chat is None else chat.name,
            "chat_api_version": "" if chat is None else chat.config.api_version or "",
            "multiview": "controlnet" if self._parts.multiview is None else "service",
            "sam_model": self._parts.sam_model,
            "server": self._version,
        }

    def _needed(self, study: Study) -> set[tuple[str, str]]:
        presets = [self._parts.book.preset(name) for name in self._presets]
        checkpoints = {preset.checkpoint for preset in presets}
        checkpoints |= {condition.checkpoint for condition in study.conditions if condition.checkpoint}
        units = {preset.controlnet.model for preset in presets if preset.controlnet is not None}
        return {("checkpoint", bare_checkpoint(name)) for name in checkpoints} | {
            ("controlnet", without_hash(name)) for name in units
        }


def configuration_of(study: Study) -> dict[str, Any]:
    """Give what of a study is sealed: all that it asks for, and nothing that happens in it."""
    return {
        **{name: getattr(study, name) for name in CONFIGURATION},
        "conditions": [condition.model_dump(mode="json") for condition in study.conditions],
    }
