"""A generation and its repetition side by side: the verdict about each output and about the whole, and why."""

from collections.abc import Callable

from apps.research.replaying import likeness
from apps.research.replaying.differing import differences, failure_of, side_of
from apps.research.replaying.reasons import reasons_of
from apps.research.replaying.shapes import (
    Difference,
    ItemVerdict,
    Judgement,
    OutputPair,
    OutputVerdict,
    Reason,
    ReasonCode,
)
from store.documents import GenerationRecord, Output

ReadPicture = Callable[[str], bytes | None]
"""From a kept picture's sha256 to its bytes; None if it is not kept any more."""
Found = tuple[OutputPair, list[Reason]]

MISSING = Reason(code="output_missing", text="the repetition gave fewer results")
EXTRA = Reason(code="output_extra", text="the repetition gave more results")
ENCODING = Reason(code="encoding", text="the same pixels, written in another way")
NOT_KEPT = Reason(code="gone", text="a picture is not kept any more, so the two cannot be compared")


def judge(old: GenerationRecord, new: GenerationRecord, read: ReadPicture) -> Judgement:
    """Compare a generation of a session with its repetition; both have ended."""
    found = differences(old, new)
    compared = [_compared(pair, read) for pair in pairs_of(old, new)]
    outputs = [pair for pair, _reasons in compared]
    verdict = _verdict(old, new, outputs)
    scores = [pair.score for pair in outputs if pair.score is not None]
    return Judgement(
        verdict=verdict,
        score=min(scores, default=None),
        why=_why(verdict, found, compared, new),
        old=side_of(old),
        new=side_of(new),
        outputs=outputs,
        differences=found,
    )


def not_replayed(old: GenerationRecord | None, code: ReasonCode, sentence: str) -> Judgement:
    """Say that a generation was not run again, and why."""
    return Judgement(
        verdict="not_replayed",
        why=[Reason(code=code, text=sentence)],
        old=None if old is None else side_of(old),
        outputs=[] if old is None else pairs_of(old, None),
    )


def pairs_of(old: GenerationRecord, new: GenerationRecord | None) -> list[OutputPair]:
    """Put the outputs of both runs beside one another by their place, without a verdict."""
    before = {output.index: output for output in old.outputs}
    after = {output.index: output for output in new.outputs} if new is not None else {}
    return [_pair(index, before.get(index), after.get(index)) for index in sorted({*before, *after})]


def _pair(index: int, old: Output | None, new: Output | None) -> OutputPair:
    values = [None if one is None else one.image_id or one.text for one in (old, new)]
    is_image = any(one is not None and one.image_id for one in (old, new))
    return OutputPair(index=index, kind="image" if is_image else "text", old=values[0], new=values[1])


def _compared(pair: OutputPair, read: ReadPicture) -> Found:
    if pair.old is None or pair.new is None:
        is_missing = pair.new is None
        return _judged(pair, "missing" if is_missing else "extra", None), [MISSING if is_missing else EXTRA]
    if pair.old == pair.new:
        return _judged(pair, "equal", 1.0), []
    if pair.kind == "text":
        return _by_likeness(pair, likeness.of_texts(pair.old, pair.new)), []
    return _pictures(pair, read(pair.old), read(pair.new))


def _pictures(pair: OutputPair, old: bytes | None, new: bytes | None) -> Found:
    if old is None or new is None:
        return _judged(pair, "differs", None), [NOT_KEPT]
    found = likeness.of_pictures(old, new)
    if likeness.has_same_pixels(old, new):
        return _by_likeness(pair, found), [ENCODING]
    size = Reason(code="size", text="the two pictures do not have the same size")
    return _by_likeness(pair, found), [] if found.same_size else [size]


def _by_likeness(pair: OutputPair, found: likeness.Likeness) -> OutputPair:
    is_similar = found.score >= likeness.SIMILAR_FROM and found.same_size
    judged = _judged(pair, "similar" if is_similar else "differs", found.score)
    return judged.model_copy(update={"measures": found.measures})


def _judged(pair: OutputPair, verdict: OutputVerdict, score: float | None) -> OutputPair:
    return pair.model_copy(update={"verdict": verdict, "score": score})


def _verdict(old: GenerationRecord, new: GenerationRecord, outputs: list[OutputPair]) -> ItemVerdict:
    if old.state != "succeeded":
        return "recovered" if new.state == "succeeded" else "failed_again"
    if new.state != "succeeded":
        return "failed"
    verdicts = {pair.verdict for pair in outputs}
    if verdicts <= {"equal"}:
        return "equal"
    return "similar" if verdicts <= {"equal", "similar"} else "differs"


def _why(verdict: ItemVerdict, found: list[Difference], compared: list[Found], new: GenerationRecord) -> list[Reason]:
    if verdict == "equal":
        return []
    if (error := failure_of(new.error)) is not None:
        return [Reason(code="error", text=f"the repetition failed: {error.message}")]
    if verdict == "recovered":
        return [Reason(code="error", text="the session's generation had failed; its repetition did not")]
    own = list({reason.code: reason for _pair, reasons in compared for reason in reasons}.values())
    if [reason.code for reason in own] == ["encoding"] and all(_is_as_good(pair) for pair, _reasons in compared):
        return own
    return [*reasons_of(found, has_pictures=any(pair.kind == "image" for pair, _reasons in compared)), *own]


def _is_as_good(pair: OutputPair) -> bool:
    return pair.verdict == "equal" or pair.score == 1.0
