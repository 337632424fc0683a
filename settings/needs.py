"""What an app asks of the settings folder: it declares its needs, the loader compares the files with them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PromptNeed:
    """Ask for `prompts/<name>.toml`.

    `variables` must appear in the text, `optional` ones may; the app gives a value for all of them.
    `answer_keys` are the top-level keys of the JSON object that the text must end with (empty: no such
    object). `direction` names the kind in `directions.toml` that fills `$direction` (empty: none).
    """

    name: str
    variables: frozenset[str]
    optional: frozenset[str] = frozenset()
    answer_keys: frozenset[str] = frozenset()
    direction: str = ""


@dataclass(frozen=True)
class PresetNeed:
    """Ask for `presets/<name>.toml`.

    `variables` and `optional` as for a prompt. `controlnet` and `inpaint` say whether the file must have
    that table (otherwise it must not). `views` says that `$view` is filled from `views.toml`.
    """

    name: str
    variables: frozenset[str]
    optional: frozenset[str] = frozenset()
    controlnet: bool = False
    inpaint: bool = False
    views: bool = False
