"""Checkpoints on the stand-in's disk, the one in its memory, and the options that name it."""

import copy
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standins.webui.catalogue import data
from standins.webui.errors import CrashedError

DEFAULTS = ("realisticVisionV60B1_v60B1VAE", "v2-1_512-ema-pruned", "v1-5-pruned-emaonly", "sd_xl_base_1.0")


@dataclass
class Checkpoint:
    """One model file. `is_hashed` turns true when it is loaded for the first time; then the title gains the hash."""

    model_name: str
    is_hashed: bool = False

    @property
    def sha256(self) -> str:
        """Invented, but the same for the same name on every instance."""
        return hashlib.sha256(self.model_name.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        """Name with extension."""
        return f"{self.model_name}.safetensors"

    @property
    def title(self) -> str:
        """As /sd-models and the options show it."""
        return f"{self.file_name} [{self.sha256[:10]}]" if self.is_hashed else self.file_name

    def answers_to(self, name: str) -> bool:
        """Whether the WebUI takes this name for it; a part of a title is none."""
        names = {self.title, self.file_name, self.model_name}
        return name in names | ({self.sha256, self.sha256[:10]} if self.is_hashed else set())

    def as_dict(self) -> dict[str, Any]:
        """An entry of /sdapi/v1/sd-models."""
        return {
            "title": self.title, "model_name": self.model_name, "hash": self.sha256[:10] if self.is_hashed else None,
            "sha256": self.sha256 if self.is_hashed else None,
            "filename": f"<webui>/models/Stable-diffusion/{self.file_name}", "config": None,
        }  # fmt: skip


class Shelf:
    """All checkpoints, the loaded one, and the options. `load` is called by the job that holds the queue only."""

    def __init__(self, names: list[str], wait: Callable[[str], float]) -> None:
        """Load the first; `wait` takes the time of a switch and returns the seconds."""
        self.checkpoints = [Checkpoint(name) for name in names or DEFAULTS]
        self._wait = wait
        self._lock = threading.RLock()
        self.defaults: dict[str, Any] = data("options")
        self.saved: dict[str, Any] = {}
        self.loaded = self.checkpoints[0]
        self._note_loaded(self.loaded)

    def _note_loaded(self, checkpoint: Checkpoint) -> None:
        checkpoint.is_hashed = True
        self.loaded = checkpoint
        self.saved["sd_checkpoint_hash"] = checkpoint.sha256
        self.saved["sd_model_checkpoint"] = checkpoint.title

    def find(self, name: Any) -> Checkpoint | None:
        """The checkpoint that a name means, or None."""
        return next((one for one in self.checkpoints if isinstance(name, str) and one.answers_to(name)), None)

    def load(self) -> float:
        """Load what the options name; return the seconds it took, 0 if it was loaded already."""
        wanted = self.find(self.saved["sd_model_checkpoint"]) or self.checkpoints[0]
        if wanted is self.loaded:
            return 0.0
        seconds = self._wait(wanted.model_name)
        self._note_loaded(wanted)
        return seconds

    def set(self, key: str, value: Any) -> None:
        """Set one option; an unknown key raises KeyError's text."""
        if key not in self.defaults and key not in self.saved:
            raise CrashedError("KeyError", repr(key))
        with self._lock:
            self.saved[key] = value

    def get(self, key: str) -> Any:
        """The option as it stands now."""
        return self.saved.get(key, self.defaults.get(key))

    def as_options(self) -> dict[str, Any]:
        """GET /options; a value of the wrong type makes the whole call fail until it is mended."""
        for key, value in self.saved.items():
            default = self.defaults.get(key)
            if isinstance(default, int | float) and not isinstance(default, bool) and isinstance(value, str):
                text = f"1 validation error for Options\nresponse -> {key}\n  value is not a valid float"
                raise CrashedError("ValidationError", f"{text} (type=type_error.float)")
        return copy.deepcopy(self.defaults | self.saved)

    def apply(self, overrides: dict[str, Any]) -> float:
        """Set a call's override_settings, load what they name; an unknown checkpoint is dropped silently."""
        if self.find(overrides.get("sd_model_checkpoint")) is None:
            overrides = {key: value for key, value in overrides.items() if key != "sd_model_checkpoint"}
        for key, value in overrides.items():
            self.set(key, value)
        return self.load()

    def stored(self, keys: list[str]) -> dict[str, Any]:
        """What can be restored after a call: only keys that this instance has ever saved (the WebUI's hole 2)."""
        return {key: self.saved[key] for key in keys if key in self.saved}

    def restore(self, stored: dict[str, Any]) -> None:
        """Put values back without loading anything: the weights stay (the WebUI's hole 1)."""
        with self._lock:
            self.saved.update(stored)
