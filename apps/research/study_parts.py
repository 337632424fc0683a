"""What a study consists of, as it is sent and told: conditions, and how long answers are held back in each."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

LONGEST_HOLD_S = 3600.0
MOST_CONDITIONS = 20
MOST_AT_ONCE = 8

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=50_000)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_HOLD_S, allow_inf_nan=False)]


class HoldForm(BaseModel):
    """How long an answer is held back, counted from the request: never, a fixed time, or one that is drawn."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["none", "fixed", "uniform", "normal"] = "none"
    seconds: Seconds | None = Field(None, description="with `fixed`")
    low: Seconds | None = Field(None, description="with `uniform`")
    high: Seconds | None = Field(None, description="with `uniform`")
    mean: Seconds | None = Field(None, description="with `normal`")
    sd: Seconds | None = Field(None, description="with `normal`")
    min: Seconds | None = Field(None, description="with `normal`: less is drawn as this; 0 when left out")
    max: Seconds | None = Field(None, description="with `normal`: more is drawn as this")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needs = {"none": (), "fixed": ("seconds",), "uniform": ("low", "high"), "normal": ("mean", "sd")}[self.kind]
        may = (*needs, *(("min", "max") if self.kind == "normal" else ()))
        for name in ("seconds", "low", "high", "mean", "sd", "min", "max"):
            value = getattr(self, name)
            if value is None and name in needs:
                raise ValueError(f"{name}: a hold of kind {self.kind} needs it")
            if value is not None and name not in may:
                raise ValueError(f"{name}: a hold of kind {self.kind} has none")
        for low, high in (("low", "high"), ("min", "max")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise ValueError(f"{low}: must not be more than {high}")
        return self


class ConditionForm(BaseModel):
    """One condition of a study: what its participants can do, with which model, and how long they wait."""

    model_config = ConfigDict(extra="forbid")

    id: Slug = Field(description="short and lasting; it stands in every row of the data")
    name: Name = Field(description="for researchers; participants never see it")
    description: Text = ""
    allowed: list[Annotated[str, Field(max_length=100)]] | None = Field(
        None, max_length=100, description="operations that can be used, by their names; null: all"
    )
    assistant: bool = Field(True, description="false: no operation at all")
    checkpoint: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        None, description="the model that takes the place of the presets'"
    )
    num_max: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] | None = Field(
        None, description="most results of one request"
    )
    hold: HoldForm = HoldForm()


def check_conditions(conditions: list[ConditionForm]) -> list[ConditionForm]:
    """Refuse conditions that share an id, or list an operation twice. Raises ValueError."""
    ids = [one.id for one in conditions]
    if len(set(ids)) != len(ids):
        raise ValueError("two conditions have the same id")
    for one in conditions:
        if one.allowed is not None and len(set(one.allowed)) != len(one.allowed):
            raise ValueError(f"the condition {one.id} lists an operation twice")
    return conditions
