"""The `[controlnet]` table of an image preset, and the names that the ControlNet extension understands."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from settings.spelling import did_you_mean

# Source: the recorded answer of `/controlnet/module_list` of sd-webui-controlnet 1.1.455.
MODULES = frozenset(
    (
        "animal_openpose", "anime_face_segment", "blur_gaussian", "canny", "clip_vision", "color",
        "densepose", "densepose_parula", "depth", "depth_anything", "depth_anything_v2",
        "depth_hand_refiner", "depth_leres", "depth_leres++", "depth_zoe", "dw_openpose_full", "facexlib",
        "hed", "hed_safe", "inpaint", "inpaint_only", "inpaint_only+lama", "instant_id_face_embedding",
        "instant_id_face_keypoints", "invert", "ip-adapter-auto", "ip-adapter_clip_sd15",
        "ip-adapter_clip_sdxl", "ip-adapter_clip_sdxl_plus_vith", "ip-adapter_face_id",
        "ip-adapter_face_id_plus", "ip-adapter_pulid", "lineart", "lineart_anime", "lineart_anime_denoise",
        "lineart_coarse", "lineart_standard", "mediapipe_face", "mlsd", "mobile_sam", "none", "normal_bae",
        "normal_dsine", "normal_map", "oneformer_ade20k", "oneformer_coco", "openpose", "openpose_face",
        "openpose_faceonly", "openpose_full", "openpose_hand", "pidinet", "pidinet_safe",
        "pidinet_scribble", "pidinet_sketch", "recolor_intensity", "recolor_luminance", "reference_adain",
        "reference_adain+attn", "reference_only", "revision_clipvision", "revision_ignore_prompt",
        "scribble_hed", "scribble_xdog", "segmentation", "shuffle", "softedge_anyline", "softedge_teed",
        "threshold", "tile_colorfix", "tile_colorfix+sharp", "tile_resample",
    )
)  # fmt: skip

# The extension takes these two as text only; for numbers it answers with an error.
ResizeMode = Literal["Just Resize", "Crop and Resize", "Resize and Fill"]
ControlMode = Literal["Balanced", "My prompt is more important", "ControlNet is more important"]


def _known_module(name: str) -> str:
    if name not in MODULES:
        raise ValueError(f"unknown preprocessor '{name}'{did_you_mean(name, MODULES)}")
    return name


class ControlNetPreset(BaseModel):
    """How a picture steers the generation: one ControlNet unit without its image, spelled as in its API."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    module: Annotated[str, AfterValidator(_known_module)]
    model: str = Field(min_length=1)
    weight: float = Field(default=1.0, ge=0, le=2)
    resize_mode: ResizeMode = "Crop and Resize"
    control_mode: ControlMode = "Balanced"
    guidance_start: float = Field(default=0.0, ge=0, le=1)
    guidance_end: float = Field(default=1.0, ge=0, le=1, validate_default=True)
    processor_res: int = Field(default=512, ge=64, le=2048)
    # Minus one means: the preprocessor's own value.
    threshold_a: float = Field(default=-1.0, ge=-1, le=255)
    threshold_b: float = Field(default=-1.0, ge=-1, le=255)
    pixel_perfect: bool = False

    @field_validator("guidance_end")
    @classmethod
    def _check_order(cls, end: float, info: ValidationInfo) -> float:
        if end < info.data.get("guidance_start", 0):
            raise ValueError("must not be smaller than guidance_start")
        return end
