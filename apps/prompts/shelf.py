"""The files of the settings, their versions, and a new text tried beside the one in use."""

from agent.conversation import Message
from agent.errors import AgentError
from agent.gpt import chat
from apps.errors import InvalidInputError, NotAllowedError, NotNowError, UnknownRecordError
from apps.prompts.schemas import (
    Answered,
    Checked,
    FileInfo,
    ProblemInfo,
    Save,
    Tried,
    VersionInfo,
    WholeFile,
    WholeVersion,
)
from apps.services import Services
from settings.datafile import DataFile
from settings.errors import SettingsError
from settings.presets import Preset
from settings.prompts import PromptTemplate
from store.settings_versions import SettingsVersion

TEXTS = ("prompt", "negative_prompt")
OWN = ("name", "hash", "kind")
CHANGED = "somebody else has changed this file since you began; look at it, and change it once more"
UNUSED = "it is saved, but not in use, as another file of the folder is wrong; `make check-settings` names it"
NOT_HERE = "saving is switched off on this server (PROMPTS_EDITABLE=false)"


def listed(parts: Services) -> list[FileInfo]:
    """List every file that is in use."""
    return [_info(parts, file) for file in parts.parts.book.files()]


def found(parts: Services, kind: str, name: str) -> DataFile:
    """Look a file up. Raises UnknownRecordError."""
    for file in parts.parts.book.files():
        if (file.kind, file.name) == (kind, name):
            return file
    raise UnknownRecordError(f"the settings have no {kind[:40]} {name[:100]!r}; /api/prompts lists what they have")


def whole(parts: Services, file: DataFile, *, is_editable: bool) -> WholeFile:
    """Tell all of a file."""
    versions = parts.stores.settings_versions.of(file.kind, file.name)
    return WholeFile(
        **_info(parts, file).model_dump(),
        source=file.source,
        fields=file.model_dump(mode="json", exclude={*OWN, "source"}),
        example=dict(getattr(file, "example", {})),
        rendered=rendered(file),
        versions=[_version(one) for one in versions],
        is_editable=is_editable,
    )


def checked(parts: Services, file: DataFile, source: str) -> Checked:
    """Say whether a text can take a file's place."""
    try:
        candidate = parts.parts.book.former(file, source)
        return Checked(problems=[], rendered=rendered(candidate), hash=candidate.hash)
    except SettingsError as exc:
        problems = [ProblemInfo(key=one.key, message=one.message) for one in exc.problems]
        return Checked(problems=problems, rendered={}, hash="")


def tried(parts: Services, file: DataFile, source: str) -> Tried:
    """Try a text beside the one in use, with their examples. Raises InvalidInputError if it cannot be used."""
    return Tried(current=_answered(parts, file), candidate=_answered(parts, _candidate(parts, file, source)))


def save(parts: Services, file: DataFile, asked: Save, by: str, *, is_editable: bool) -> DataFile:
    """Put a text in a file's place, for all processes, and keep it as a version.

    Raises:
        NotAllowedError: saving is switched off, or the folder cannot be written.
        InvalidInputError: the text cannot be used.
        NotNowError: somebody else has changed the file.
    """
    if not is_editable:
        raise NotAllowedError(403, NOT_HERE)
    candidate = _candidate(parts, file, asked.source)
    if file.hash != asked.base_hash:
        raise NotNowError(CHANGED)
    versions = parts.stores.settings_versions
    # Before the write, so that what was in use can be had for ever; who saved the new one is written after it.
    for one in (file, candidate):
        versions.keep(one.hash, one.kind, one.name, one.source)
    try:
        is_saved = parts.parts.book.save(file, asked.source)
    except OSError as exc:
        raise NotAllowedError(403, f"the folder of the settings cannot be written here: {exc.strerror}") from exc
    if not is_saved:
        raise NotNowError(CHANGED)
    versions.sign(candidate.hash, by, asked.note)
    now = found(parts, file.kind, file.name)
    if now.hash != candidate.hash:
        raise NotNowError(UNUSED)
    return now


def version(parts: Services, version_hash: str) -> WholeVersion:
    """Give a version by its hash. Raises UnknownRecordError."""
    kept = parts.stores.settings_versions.get(version_hash)
    if kept is None:
        raise UnknownRecordError("no generation used a version of this hash, and nobody saved one")
    return WholeVersion(**_version(kept).model_dump(), source=kept.text)


def rendered(file: DataFile) -> dict[str, str]:
    """Put a file's example into its texts."""
    if isinstance(file, PromptTemplate):
        return {"prompt": file.render(**file.example).text}
    if isinstance(file, Preset):
        made = file.render(**file.example)
        return {name: getattr(made, name) for name in TEXTS}
    return {}


def _candidate(parts: Services, file: DataFile, source: str) -> DataFile:
    try:
        return parts.parts.book.former(file, source)
    except SettingsError as exc:
        raise InvalidInputError(f"source: {exc}") from exc


def _answered(parts: Services, file: DataFile) -> Answered:
    texts = rendered(file)
    client = parts.parts.chat
    if not isinstance(file, PromptTemplate) or client is None:
        return Answered(rendered=texts, answer=None, error="")
    try:
        reply = chat(
            client,
            [Message("user", texts["prompt"])],
            temperature=file.temperature,
            max_tokens=file.max_tokens,
        )
    except AgentError as exc:
        return Answered(rendered=texts, answer=None, error=exc.message)
    return Answered(rendered=texts, answer=reply.text, error="")


def _info(parts: Services, file: DataFile) -> FileInfo:
    return FileInfo(
        kind=file.kind,
        name=file.name,
        file=file.file,
        purpose=file.purpose,
        hash=file.hash,
        variables=sorted(getattr(file, "example", {})),
        operations=sorted(parts.users_of_settings.get(f"{file.kind}:{file.name}", ())),
    )


def _version(kept: SettingsVersion) -> VersionInfo:
    return VersionInfo(
        hash=kept.hash,
        kind=kept.kind,
        name=kept.name,
        created_at=kept.created_at,
        saved_by=kept.saved_by,
        note=kept.note,
    )
