"""What is sealed when a study is frozen, and how what is there now differs from it: pure functions over plain data.

A picture of a study may come from any WebUI that has its model. So what counts is that no WebUI has, under a sealed
name, a model whose hash was not sealed. That one more WebUI, with the same model, joins or leaves is no difference. A
hash that a WebUI did not know yet (it is computed when a model is first loaded) cannot be compared; `unknown` names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from agent.models import Model

FORM = 1
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was sealed; None: it was not there, or is not any more."""

    what: str
    name: str
    sealed: str | None
    now: str | None


@dataclass(frozen=True)
class Facts:
    """What a study's pictures and texts are made with: files of the settings by `<kind>:<name>`, models, services."""

    files: Mapping[str, str]
    models: tuple[Model, ...]
    services: Mapping[str, str]


def content_of(configuration: Mapping[str, Any], facts: Facts, needed: Iterable[tuple[str, str]]) -> Content:
    """Put together what is sealed; of all models only those that are `needed`, by kind and name."""
    wanted = set(needed)
    models: dict[str, dict[str, str]] = {f"{kind}:{name}": {} for kind, name in sorted(wanted)}
    for model in facts.models:
        if (model.kind, model.name) in wanted:
            models[f"{model.kind}:{model.name}"][model.instance] = model.hash
    return {
        "form": FORM,
        "study": dict(configuration),
        "files": dict(facts.files),
        "models": models,
        "services": dict(facts.services),
    }


def text_of(content: Content) -> str:
    """Write it as canonical JSON: keys sorted, no blanks, so that equal contents have equal hashes."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def hash_of(text: str) -> str:
    """Give the one hash that stands for all of it."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def unknown(content: Content) -> list[str]:
    """Name the models that no WebUI could give a hash of."""
    return sorted(name for name, by_instance in content["models"].items() if not any(by_instance.values()))


def differences(sealed: Content, configuration: Mapping[str, Any], facts: Facts) -> list[Difference]:
    """List what is not as it was sealed."""
    return [
        *_fields("study", _texts(sealed["study"]), _texts(configuration)),
        *_files(sealed["files"], facts.files),
        *_models(sealed["models"], facts.models),
        *_fields("service", sealed["services"], facts.services),
    ]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else text_of(value) for name, value in values.items()}


def _fields(what: str, sealed: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(sealed.keys() | now.keys()):
        if sealed.get(name) != now.get(name):
            yield Difference(what, name, sealed.get(name), now.get(name))


def _files(sealed: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for one in _fields("file", sealed, now):
        kind, _, name = one.name.partition(":")
        yield Difference(kind, name, one.sealed, one.now)


def _models(sealed: Mapping[str, Mapping[str, str]], now: Iterable[Model]) -> Iterator[Difference]:
    for model in now:
        known = {one for one in sealed.get(f"{model.kind}:{model.name}", {}).values() if one}
        if known and model.hash and not any(_is_same(model.hash, one) for one in known):
            yield Difference(model.kind, f"{model.name} on {model.instance}", ", ".join(sorted(known)), model.hash)


def _is_same(one: str, other: str) -> bool:
    # A WebUI gives the first ten letters of a hash before it gives all of them.
    return one.startswith(other) or other.startswith(one)


def plain(found: Iterable[Difference]) -> list[dict[str, str | None]]:
    """Give differences as plain data."""
    return [asdict(one) for one in found]
