"""The texts of an answer: the infotext that is in the PNG, and `info`, a JSON string."""

import json
from dataclasses import dataclass, field
from typing import Any

from standins.webui.catalogue import Sampling
from standins.webui.checkpoints import Checkpoint

VERSION = "v1.10.1"


@dataclass
class Report:
    """What is known about a job when its pictures are made."""

    values: dict[str, Any]
    sampling: Sampling
    checkpoint: Checkpoint
    seed: int
    subseed: int
    job_timestamp: str
    extra: dict[str, Any] = field(default_factory=dict)
    infotexts: list[str] = field(default_factory=list)
    index_of_first_image: int = 0

    @property
    def count(self) -> int:
        """Pictures asked for."""
        return int(self.values["batch_size"] * self.values["n_iter"])

    def infotext(self, index: int) -> str:
        """The text chunk `parameters` of picture `index`."""
        values = self.values
        facts = {
            "Steps": values["steps"], "Sampler": self.sampling.sampler_name,
            "Schedule type": self.sampling.schedule_type, "CFG scale": values["cfg_scale"],
            "Seed": self.seed + index, "Size": f"{values['width']}x{values['height']}",
            "Model hash": self.checkpoint.sha256[:10], "Model": self.checkpoint.model_name,
            **{key: value for key, value in self.extra.items() if key != "Schedule type"}, "Version": VERSION,
        }  # fmt: skip
        line = ", ".join(f"{key}: {_quoted(value)}" for key, value in facts.items())
        negative = f"Negative prompt: {values['negative_prompt']}" if values["negative_prompt"] else ""
        return "\n".join(part for part in (values["prompt"], negative, line) if part)

    def info(self) -> str:
        """The answer's `info`."""
        values, count = self.values, self.count
        return json.dumps({
            "prompt": values["prompt"], "all_prompts": [values["prompt"]] * count,
            "negative_prompt": values["negative_prompt"], "all_negative_prompts": [values["negative_prompt"]] * count,
            "seed": self.seed, "all_seeds": [self.seed + index for index in range(count)],
            "subseed": self.subseed, "all_subseeds": [self.subseed + index for index in range(count)],
            "subseed_strength": values["subseed_strength"], "width": values["width"], "height": values["height"],
            "sampler_name": self.sampling.sampler_name, "cfg_scale": values["cfg_scale"], "steps": values["steps"],
            "batch_size": values["batch_size"], "restore_faces": False, "face_restoration_model": None,
            "sd_model_name": self.checkpoint.model_name, "sd_model_hash": self.checkpoint.sha256[:10],
            "sd_vae_name": None, "sd_vae_hash": None, "seed_resize_from_w": -1, "seed_resize_from_h": -1,
            "denoising_strength": values["denoising_strength"], "extra_generation_params": self.extra,
            "index_of_first_image": self.index_of_first_image, "infotexts": self.infotexts,
            "styles": values["styles"] or [], "job_timestamp": self.job_timestamp, "clip_skip": 1,
            "is_using_inpainting_conditioning": False, "version": VERSION,
        })  # fmt: skip


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ",\n:") else text


def img2img_extra(values: dict[str, Any]) -> dict[str, Any]:
    """What img2img adds to the infotext."""
    extra: dict[str, Any] = {"Denoising strength": values["denoising_strength"]}
    if not values["mask"]:
        return extra
    if values["inpainting_mask_invert"]:
        extra["Mask mode"] = "Inpaint not masked"
    if values["inpaint_full_res"]:
        blur = values["mask_blur"] if values["mask_blur"] is not None else values["mask_blur_x"]
        extra |= {"Mask blur": blur, "Inpaint area": "Only masked"}
        extra["Masked area padding"] = values["inpaint_full_res_padding"]
    content = {0: "fill", 2: "latent noise", 3: "latent nothing"}.get(values["inpainting_fill"])
    return extra | ({"Masked content": content} if content else {})
