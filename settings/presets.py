"""Image presets: a prompt for Stable Diffusion with the parameters that belong to it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from settings.controlnet import ControlNetPreset
from settings.datafile import DataFile
from settings.samplers import COMBINED_SAMPLERS, SAMPLERS, SCHEDULER_LABELS, SCHEDULERS
from settings.spelling import did_you_mean, listed
from settings.templates import fill


def _known_sampler(name: str) -> str:
    known = SAMPLERS | COMBINED_SAMPLERS
    if name not in known:
        raise ValueError(f"unknown sampler '{name}'{did_you_mean(name, known)} (known: {listed(SAMPLERS)})")
    return name


class InpaintPreset(BaseModel):
    """How the masked part of a picture is painted anew, as the WebUI's img2img spells it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    inpainting_mask_invert: int = Field(ge=0, le=1)
    inpainting_fill: int = Field(ge=0, le=3)
    inpaint_full_res: bool
    # Pixels.
    inpaint_full_res_padding: int = Field(ge=0, le=256)
    mask_blur: int = Field(ge=0, le=64)
    resize_mode: int = Field(ge=0, le=3)


class Preset(DataFile):
    """Hold one file of `presets/`; the keys are those of the WebUI's payload. Width and height are pixels."""

    kind: ClassVar[Literal["preset"]] = "preset"

    prompt: str = Field(min_length=1)
    negative_prompt: str
    checkpoint: str = Field(min_length=1)
    sampler_name: Annotated[str, AfterValidator(_known_sampler)]
    scheduler: str | None = None
    steps: int = Field(ge=1, le=150)
    cfg_scale: float = Field(ge=1, le=30)
    width: int = Field(ge=64, le=2048, multiple_of=8)
    height: int = Field(ge=64, le=2048, multiple_of=8)
    denoising_strength: float | None = Field(default=None, ge=0, le=1)
    controlnet: ControlNetPreset | None = None
    inpaint: InpaintPreset | None = None
    example: dict[str, str]

    @field_validator("scheduler")
    @classmethod
    def _check_scheduler(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and name not in SCHEDULERS:
            hint = did_you_mean(name, SCHEDULER_LABELS)
            raise ValueError(f"unknown scheduler '{name}'{hint} (known: {listed(SCHEDULER_LABELS)})")
        sampler = info.data.get("sampler_name")
        if name is not None and sampler in COMBINED_SAMPLERS:
            raise ValueError(f"'{sampler}' says the scheduler already; remove it in one of the two")
        return name

    @property
    def file(self) -> str:
        """Return the file's path inside the settings folder."""
        return f"presets/{self.name}.toml"

    def render(self, **variables: str) -> "RenderedPreset":
        """Put the values into both texts and join their lines.

        Raises SettingsError for a missing or an unknown variable.
        """
        texts = {"prompt": self.prompt, "negative_prompt": self.negative_prompt}
        filled = fill(texts, variables, self.file, frozenset(self.example))
        joined = {key: " ".join(text.split()) for key, text in filled.items()}
        return RenderedPreset(self, joined["prompt"], joined["negative_prompt"])


@dataclass(frozen=True)
class RenderedPreset:
    """Hold a preset with its two texts ready to be sent."""

    preset: Preset
    prompt: str
    negative_prompt: str
