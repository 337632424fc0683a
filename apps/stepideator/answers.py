"""The forms in which the chat service must answer. The Chinese names are what the front end shows on its cards."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")


def _as_list(value: Any) -> Any:
    if isinstance(value, str | int | float):
        value = [value]
    return [item for item in value if item != ""] if isinstance(value, list) else value


def _as_words(value: Any) -> Any:
    if isinstance(value, list):
        return "；".join(str(item) for item in value)
    return str(value) if isinstance(value, int | float) else value


Words = Annotated[str, BeforeValidator(_as_words)]
Phrases = Annotated[list[Words], BeforeValidator(_as_list)]


class Card(BaseModel):
    """An answer that is shown as a card: keys and values, without nulls."""

    model_config = ConfigDict(frozen=True)


class Brief(Card):
    """A design brief."""

    users: Phrases = Field(alias="目标人群", min_length=1)
    scenarios: Phrases = Field(alias="使用场景", min_length=1)
    pain_points: Phrases = Field(alias="痛点", min_length=1)
    functions: Phrases = Field(alias="主要功能", min_length=1)


class ExistingProduct(Card):
    """A product on the market that is like the one to be designed; what is unknown stays empty."""

    name: Words = Field(alias="产品名", min_length=1)
    users: Phrases = Field([], alias="目标人群")
    scenarios: Phrases = Field([], alias="使用场景")
    pain_points: Phrases = Field([], alias="痛点")
    functions: Phrases = Field([], alias="主要功能")
    structure: Phrases = Field([], alias="结构")
    appearance: Phrases = Field([], alias="外观造型")
    technology: Phrases = Field([], alias="现有技术")


class Extension(Card):
    """Ideas around the selected texts; only the kinds that the rules of the prompt ask for."""

    users: Phrases | None = Field(None, alias="目标人群")
    scenarios: Phrases | None = Field(None, alias="使用场景")
    pain_points: Phrases | None = Field(None, alias="痛点")
    functions: Phrases | None = Field(None, alias="主要功能")
    appearance: Phrases | None = Field(None, alias="外观造型")
    structure: Phrases | None = Field(None, alias="结构")
    technology: Phrases | None = Field(None, alias="现有技术")

    @model_validator(mode="after")
    def _has_ideas(self) -> Self:
        if not any(dict(self).values()):
            raise ValueError("there is no idea in it; give the kinds that the rule names")
        return self


class Appearance(Card):
    """How the product looks from outside."""

    shape: Words = Field(alias="形状")
    edges: Words = Field(alias="边缘加工")
    details: Words = Field(alias="细节")
    usage: Words = Field(alias="使用方式")


class Layout(Card):
    """Size and technical data of the whole product."""

    size: Words = Field(alias="建议尺寸")
    specification: Words = Field(alias="技术规格")


class Module(Card):
    """Size and technical data of one module."""

    size: Words = Field(alias="尺寸")
    specification: Words = Field(alias="技术规格")


class Inside(Card):
    """How the product is built inside; the modules are named 模块1, 模块2 and so on, or by what they are."""

    layout: Layout = Field(alias="整体布局")
    modules: dict[str, Module] = Field(alias="模块布局")


class Advice(Card):
    """Advice on a product's shape and build."""

    appearance: Appearance = Field(alias="外观造型")
    inside: Inside = Field(alias="内部结构")


def _english(value: str) -> str:
    if CJK.search(value):
        raise ValueError("it must be English")
    return value


class PicturePrompt(BaseModel):
    """A prompt for Stable Diffusion, in English."""

    prompt: Annotated[str, Field(min_length=3, max_length=1500), AfterValidator(_english)]
