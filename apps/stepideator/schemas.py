"""What the front end sends and gets, as the contract spells it."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from apps.schemas import Envelope, ImageFormat, Seed, WholeNumber, documented_as, succeeded
from apps.stepideator.operations import OPERATIONS, Operation

USERNAME_LIMIT = 256
TASK_LIMIT = 10_000
MAX_NUM = 8
MAX_TEXTS = 200
MAX_CANVASES = 8
TIME_LIMIT_MS = 2**53

_EXAMPLE_URL = "http://127.0.0.1:5002/images/5f0c…e1.png"


def _needed_text(limit: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": limit, "pattern": r"\S"}


_NEEDED_NUMBER = {
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_NUM}, {"type": "string", "enum": ["1", "2", "3"]}]
}
Username = Annotated[str, Field(max_length=USERNAME_LIMIT)]
NeededUsername = Annotated[Username | None, WithJsonSchema(_needed_text(USERNAME_LIMIT))]
LongText = Annotated[str, Field(max_length=TASK_LIMIT)]


class ButtonInfo(BaseModel):
    """The button that was pressed; the pair names the operation."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"properties": {"aiStage": {"const": ai_stage}, "buttonText": {"const": button_text}}}
                for ai_stage, button_text in OPERATIONS
            ]
        }
    )

    button_text: str = Field(alias="buttonText", max_length=100)
    ai_stage: str = Field(alias="aiStage", max_length=100)


class GenerateRequest(BaseModel):
    """The eight keys of the front end, and two of our own: `seed` and `imageFormat`."""

    model_config = documented_as(
        "designTask",
        "currentNum",
        example={
            "username": "P07",
            "designTask": "设计一款农业无人机",
            "currentNum": 2,
            "currentAIStage": "草图的辅助生成",
            "currentStage": "草图的环境",
            "selectedTexts": [],
            "selectedCanvasRecords": [],
            "selectedButtonInfo": {"buttonText": "生成全新草图", "aiStage": "草图的辅助生成"},
        },
    )

    username: Username = Field("", description="as typed; may be empty")
    design_task: Annotated[LongText | None, WithJsonSchema(_needed_text(TASK_LIMIT))] = Field(None, alias="designTask")
    current_num: Annotated[
        Annotated[int, Field(ge=0, le=MAX_NUM)] | None, WholeNumber, WithJsonSchema(_NEEDED_NUMBER)
    ] = Field(None, alias="currentNum", description="how many; a digit string is taken too")
    current_ai_stage: str = Field("", alias="currentAIStage", max_length=100)
    current_stage: str = Field("", alias="currentStage", max_length=100, description="the participant's workspace")
    selected_texts: Annotated[list[LongText], Field(max_length=MAX_TEXTS)] | None = Field(None, alias="selectedTexts")
    selected_canvas_records: Annotated[list[str | None], Field(max_length=MAX_CANVASES)] | None = Field(
        None, alias="selectedCanvasRecords", description="pictures: URLs of this server, data URLs or BASE64"
    )
    selected_button_info: ButtonInfo = Field(alias="selectedButtonInfo")
    seed: Seed | None = Field(
        None, description="seed of the first picture, the i-th has seed + i; chosen when left out"
    )
    image_format: ImageFormat = Field("url", alias="imageFormat", description="how pictures come back")


Block = dict[str, str]


class GenerateAnswer(Envelope[Block | list[Block]]):
    """One block, or a list of blocks; a block's values are all URLs (or BASE64) of pictures, or all JSON texts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"success": True, "data": {"0": _EXAMPLE_URL, "1": _EXAMPLE_URL}, "code": 0, "message": ""}]
        }
    )


class OperationInfo(BaseModel):
    """One row of the table of operations."""

    name: str = Field(examples=["sketch.create_new"])
    representation: str = Field(examples=["sketch"])
    summary: str
    ai_stage: str = Field(serialization_alias="aiStage")
    button_text: str = Field(serialization_alias="buttonText")
    needs: str = Field(description="what it needs besides the task: nothing, texts, canvas, canvas or texts")
    stages: list[str] = Field(description="workspaces in which it can work on a canvas; empty: any")
    answers: str = Field(description="texts, images, card and images, or views (always six)")
    presets: list[str] = Field(description="image presets of `settings/presets` that it may use")

    @classmethod
    def of(cls, row: Operation) -> Self:
        """Describe a row of the table."""
        return cls(
            name=row.name,
            representation=row.representation,
            summary=row.summary,
            ai_stage=row.ai_stage,
            button_text=row.button_text,
            needs=row.need,
            stages=list(row.stages),
            answers=row.shape,
            presets=list(row.all_presets),
        )


_FIRST_ROW = OperationInfo.of(next(iter(OPERATIONS.values())))


class OperationsAnswer(Envelope[list[OperationInfo]]):
    """All operations, in the order of the representations."""

    model_config = ConfigDict(json_schema_extra={"examples": [succeeded([_FIRST_ROW.model_dump(by_alias=True)])]})


class StartRequest(BaseModel):
    """Who begins to work."""

    model_config = documented_as("username", example={"username": "P07"})

    username: NeededUsername = None


class SavedState(BaseModel):
    """What `/paint/save` kept, in the shape that the page merges into its own state."""

    model_config = ConfigDict(populate_by_name=True)

    username: str
    participant_id: str = Field(alias="participantId")
    design_task: str = Field("", alias="designTask")
    current_stage: str = Field("", alias="currentStage")
    brief_schemes: list[Any] = Field([], alias="designBriefSchemes")
    sketch_schemes: list[Any] = Field([], alias="sketchSchemes")
    model_schemes: list[Any] = Field([], alias="modelImageSchemes")
    rendering_schemes: list[Any] = Field([], alias="renderingSchemes")


class StartAnswer(Envelope[SavedState]):
    """The participant's saved state; empty lists for somebody new."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        "username": "P07",
                        "participantId": "01KAVJ5Q4M8X0T3N6R9W2Z7CDE",
                        "designTask": "设计一款农业无人机",
                        "currentStage": "草图的环境",
                        "designBriefSchemes": [],
                        "sketchSchemes": [{"name": "", "paths": [], "texts": [], "backgroundImageUrl": ""}],
                        "modelImageSchemes": [],
                        "renderingSchemes": [],
                    }
                )
            ]
        }
    )


class Workspace(BaseModel):
    """What the participant has in the four workspaces. Schemes and further keys are kept as they come."""

    model_config = ConfigDict(extra="allow")

    design_schemes: dict[str, list[Any]] = Field({}, alias="designSchemes")
    design_task: LongText = Field("", alias="designTask")
    current_stage: str = Field("", alias="currentStage", max_length=100)


class SaveRequest(BaseModel):
    """A participant's workspaces."""

    model_config = documented_as(
        "username",
        example={
            "username": "P07",
            "data": {
                "designSchemes": {"草图的环境": [{"name": "", "paths": [], "texts": [], "backgroundImageUrl": ""}]},
                "designTask": "设计一款农业无人机",
                "currentStage": "草图的环境",
            },
        },
    )

    username: NeededUsername = None
    data: Workspace


def _rounded(value: Any) -> Any:
    return round(value) if isinstance(value, float) and abs(value) < TIME_LIMIT_MS else value


# A clock that was set back gives a negative duration, some browsers give fractions: data to keep, not to refuse.
Milliseconds = Annotated[
    int,
    BeforeValidator(_rounded),
    Field(gt=-TIME_LIMIT_MS, lt=TIME_LIMIT_MS),
    WithJsonSchema({"type": "number", "exclusiveMinimum": -TIME_LIMIT_MS, "exclusiveMaximum": TIME_LIMIT_MS}),
]


class Visit(BaseModel):
    """One stay in a stage; without a duration it had not ended when it was sent. Further keys are kept as they come."""

    model_config = ConfigDict(extra="allow")

    start_time: Milliseconds = Field(alias="startTime", description="since the epoch")
    duration: Milliseconds | None = None


Visits = dict[Annotated[str, Field(max_length=100)], Annotated[list[Visit], Field(max_length=10_000)]]


class TimeRecordRequest(BaseModel):
    """All stage switches since the page was loaded; a later one of the same page takes its place."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "username": "P07",
                    "stageSwitchRecords": {"草图的环境": [{"startTime": 1764000000000, "duration": 61000}]},
                    "aiStageSwitchRecords": {"草图的辅助生成": [{"startTime": 1764000000000}]},
                }
            ]
        }
    )

    username: Username = ""
    stage_switches: Visits | None = Field(None, alias="stageSwitchRecords")
    ai_stage_switches: Visits | None = Field(None, alias="aiStageSwitchRecords")
