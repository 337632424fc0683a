"""From the record of a generation to what is told of it."""

from collections.abc import Sequence
from typing import cast

from apps.errors import told
from apps.pictures import Links
from apps.stepideator.job_schemas import AnyOutput, ImageOutput, Job, JobError, JobInputs, JobState, JobStep, TextOutput
from jobs.veil import shown_at
from jobs.viewing import JobView
from store.documents import ErrorRecord, GenerationRecord, Output, State, StepRecord


def job_of(view: JobView, links: Links) -> Job:
    """Tell all of a job."""
    record, inputs = view.record, view.record.inputs
    return Job(
        **dict(state_of(view, links)),
        operation=record.operation,
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        shown_at=shown_at(record),
        duration_s=record.duration_s,
        seed=record.seed,
        participant_id=record.participant_id,
        inputs=JobInputs(
            task=inputs.task,
            num=inputs.num,
            texts=list(inputs.texts),
            images=[links(image_id) for image_id in inputs.image_ids],
            stage=inputs.current_stage,
        ),
        steps=[step_of(step, record, with_details=True) for step in record.steps],
        error=error_of(record.error, record),
        times=dict(record.times),
        attempt=record.attempt,
        rerun_of=record.rerun_of,
        revision=record.revision,
    )


def state_of(view: JobView, links: Links, *, until: int | None = None) -> JobState:
    """Tell how far a job is; with `until`, in which state and with which outputs it was at that revision."""
    record = view.record
    return JobState(
        id=record.id,
        state=_state_at(record, until),
        progress=view.progress,
        place=view.place,
        eta_s=view.eta_s,
        outputs=[output_of(output, links) for output in _outputs_at(record, until)],
    )


def output_of(output: Output, links: Links) -> AnyOutput:
    """Tell one result: a picture by its URL, or a text."""
    if output.image_id:
        return ImageOutput(index=output.index, url=links(output.image_id))
    return TextOutput(index=output.index, text=output.text or "")


def step_of(step: StepRecord, record: GenerationRecord, *, with_details: bool) -> JobStep:
    """Tell one step."""
    return JobStep(
        id=step.id,
        kind=step.kind,
        name=step.name,
        started_at=step.started_at,
        duration_s=step.duration_s,
        waited_s=step.waited_s,
        details=step.details if with_details else {},
        error=error_of(step.error, record),
    )


def error_of(error: ErrorRecord | None, record: GenerationRecord) -> JobError | None:
    """Tell an error; of one that nobody foresaw only where the log has it."""
    if error is None:
        return None
    found = told(error, record.request_id)
    return JobError(type=found.type, message=found.message)


def _state_at(record: GenerationRecord, revision: int | None) -> State:
    if revision is None:
        return record.state
    states = [entry.state for entry in record.log if entry.type == "state" and entry.seq <= revision]
    return cast(State, states[-1]) if states else "queued"


def _outputs_at(record: GenerationRecord, revision: int | None) -> Sequence[Output]:
    if revision is None:
        found = list(record.outputs)
    else:
        places = {e.output for e in record.log if e.output is not None and e.seq <= revision}
        found = [output for place, output in enumerate(record.outputs) if place in places]
    return sorted(found, key=lambda output: output.index)
