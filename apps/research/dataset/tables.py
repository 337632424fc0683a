"""The tables of a data set: what stands in each column. A name means the same in every table that has it."""

from __future__ import annotations

from typing import Final

from apps.research.dataset.columns import Column, Table

STATES: Final = ("succeeded", "failed", "canceled")
ACTORS: Final = ("participant", "assistant", "researcher", "system")
NEVER: Final = "never a missing value"
VERBS: Final = (
    ("session.*, page.*", "the participant joined, agreed, came, left, ended"),
    ("stage.switch, task.set, num.set", "went to another stage, changed the task or the number of proposals"),
    ("input.select, input.unselect", "chose a text or picture as an input, or no longer"),
    ("drawing.*, note.save", "drew or wrote something"),
    ("picture.upload, picture.uploaded", "sent a picture, as the page and as the server saw it"),
    ("generation.submit, generation.cancel, generation.retry", "asked the assistant for something, or no longer"),
    ("generation.accepted", "the server took the request; inputs are its pictures and texts"),
    ("generation.running, generation.step, generation.output", "it began, a step of it ended, a result came"),
    ("generation.succeeded, generation.failed, generation.canceled", "it ended"),
    ("generation.released, generation.shown", "a held answer was let go, the page showed the result"),
    ("output.*, tree.open, provenance.open", "looked at, chose or fetched a result"),
    ("state.save, state.saved", "the work was saved, as the page and as the server saw it"),
    ("stage.visit, ai_stage.visit", "a stay in a stage, as the page measured it; data has its duration"),
    ("error.shown, help.open", "the page showed an error, or its help"),
)
"""What the verbs of `events` mean; an event may have another one that its client made up."""


def _row(table: str, row_of: str, *columns: Column) -> Table:
    return Table(table, row_of, (Column("row_id", "text", "different in each row of its table"), *columns))


UNKNOWN: Final = "not known whose it is"
SESSION = Column("session_id", "text", "the session; `sessions` has a row for each", missing=UNKNOWN)
NUMBER = Column("session_number", "integer", "number of the session within the study, from 1; 0 in the default study",
                missing=UNKNOWN)  # fmt: skip
PARTICIPANT = Column("participant_id", "text", "pseudonym of the participant", missing=UNKNOWN)
CONDITION = Column("condition_id", "text", "experimental condition; `conditions` has a row for each", missing=UNKNOWN)
WHO = (SESSION, NUMBER, PARTICIPANT, CONDITION)

GENERATION = Column(
    "generation_id", "text", "a generation; `generations` has a row for each", missing="belongs to none"
)
STEP = Column("step_id", "text", "a step of a generation; `steps` has a row for each", missing="no step is recorded")
OPERATION = Column("operation", "text", "what was asked of the assistant, as representation.operation")
STATE = Column("state", "text", "how it ended, or that it goes on; a session is one of the first three",
               allowed=("active", "completed", "withdrawn", *STATES))  # fmt: skip
CREATED = Column("created_at", "time", "when it was asked for or first came, by the server's clock")
STARTED = Column("started_at", "time", "when it began, by the server's clock", missing="it never began")
ENDED = Column("ended_at", "time", "when it ended, by the server's clock", missing="it has not ended")
DURATION = Column("duration_s", "number", "from its beginning to its end", "s", missing="it has not begun or ended")
ERROR = Column("error_type", "text", "kind of the error", missing="no error")
MESSAGE = Column("error_message", "text", "the error in words", missing="no error")
TASK = Column("task", "text", "the design task as the participant typed it")
STAGE = Column("stage", "text", "stage of the page that the participant was in")
IMAGE = Column("image", "text", "SHA-256 of a picture; `images` has a row for each", missing="no picture")
SEED = Column("seed", "integer", "seed of the random numbers; those of further pictures follow from the first",
              missing="not known")  # fmt: skip
AT = Column("at", "time", "when it happened, by the server's clock")
CHECKPOINT = Column("checkpoint", "text", "image model of the condition or of the step",
                    missing="no image model, or the preset's")  # fmt: skip
WAITED = Column("waited_s", "number", "from asking to the end; of a step: for a free instance", "s",
                missing="it has not ended")  # fmt: skip
HOLD_KIND = Column("hold_kind", "text", "how long answers are held back", missing="not held back",
                   allowed=("none", "fixed", "uniform", "normal"))  # fmt: skip
WIDTH = Column("width", "integer", "width of the picture", "px", missing="no picture, or not told")
HEIGHT = Column("height", "integer", "height of the picture", "px", missing="no picture, or not told")

CONDITIONS = _row("conditions", "condition of the study", CONDITION,
    Column("condition_name", "text", "name of the condition"),
    Column("condition_description", "text", "what the condition is"),
    Column("allowed_operations", "texts", "operations that participants may use", missing="all operations"),
    Column("assistant", "boolean", "whether there is an assistant at all"),
    CHECKPOINT,
    Column("num_max", "integer", "most results of one generation", missing="no limit of its own"),
    HOLD_KIND,
    Column("hold", "text", "the numbers of the hold as a JSON object, in seconds", missing="not held back"),
)  # fmt: skip

SESSIONS = _row("sessions", "session of a participant", *WHO, STATE,
    Column("assigned_by", "text", "how the condition came about", allowed=("balanced", "chosen", "only"),
           missing="not recorded"),
    Column("consented_at", "time", "when the participant agreed to take part", missing="no consent was asked for"),
    STARTED, Column("last_event_at", "time", "last sign of the participant, by the server's clock", missing="none"),
    ENDED, DURATION,
    Column("generation_count", "integer", "generations that have ended"),
    Column("failed_count", "integer", "generations that failed"),
    Column("canceled_count", "integer", "generations that were canceled"),
    Column("event_count", "integer", "rows of this session in `events`"),
    Column("waited_total_s", "number", "time from asking to seeing, of all generations together", "s"),
    Column("user_agent", "text", "the participant's browser, as it names itself", missing="not told"),
    Column("language", "text", "language of the browser", missing="not told"),
    Column("screen", "text", "size of the browser's window", "px", missing="not told"),
)  # fmt: skip

EVENTS = _row("events", "thing that happened, on one clock", *WHO,
    Column("seq", "integer", "place in the session, from 1"), AT,
    Column("client_at_ms", "integer", "when it happened by the clock of the participant's device, since 1970-01-01 UTC",
           "ms", missing="no page saw it"),
    Column("received_at", "time", "when the server heard of it, by its own clock", missing="no page told it"),
    Column("actor", "text", "who did it", allowed=ACTORS),
    Column("verb", "text", "what was done, as thing.action. " + " ".join(f"{verb}: {means}." for verb, means in VERBS)),
    Column("object", "text", "what it was done to: the operation of a generation, a stage, or what the verb says",
           missing="nothing in particular"),
    Column("inputs", "texts", "what went in: SHA-256 of pictures, ids of generations, or short texts"),
    Column("outputs", "texts", "what came out, named in the same way"),
    GENERATION,
    Column("data", "text", "further facts as JSON", missing="none"),
)  # fmt: skip

GENERATIONS = _row("generations", "run of an operation that has ended", GENERATION, *WHO, OPERATION,
    Column("representation", "text", "form of the concept", allowed=("brief", "sketch", "model", "rendering")),
    STATE, CREATED, STARTED, ENDED,
    Column("shown_at", "time", "when the participant could see the result", missing="there was no result to see"),
    DURATION,
    WAITED,
    HOLD_KIND,
    Column("hold_s", "number", "earliest time from asking to seeing", "s", missing="not held back"),
    Column("shown_s", "number", "from asking to seeing", "s", missing="there was no result to see"),
    SEED, TASK, Column("input_texts", "texts", "texts that the participant chose or typed"),
    Column("input_images", "texts", "SHA-256 of the pictures that the participant chose"),
    Column("requested_count", "integer", "results that were asked for"), STAGE,
    Column("parents", "texts", "generations whose outputs went in"),
    Column("output_count", "integer", "results that were made"),
    Column("step_count", "integer", "rows of this generation in `steps`"),
    Column("attempt_count", "integer", "how many runners took it up"),
    ERROR, MESSAGE,
    Column("rerun_of", "text", "the generation that this one repeats", missing="it repeats none"),
    Column("drifted", "boolean", "whether the settings had changed since the study was sealed", missing="not sealed"),
)  # fmt: skip

STEPS = _row("steps", "call of a model, or image work of the server", GENERATION, STEP, *WHO,
    Column("step_number", "integer", "place in the generation, by the end of the steps, from 1"),
    Column("step_kind", "text", "what kind of work: chat, subject, txt2img, img2img, sam, multiview"),
    Column("step_name", "text", "name of the prompt, preset or model"), STARTED, DURATION,
    WAITED,
    Column("template", "text", "name of the prompt template", missing="no prompt template"),
    Column("template_hash", "text", "SHA-256 of the prompt template", missing="no prompt template"),
    Column("preset", "text", "name of the image preset", missing="no image preset"),
    Column("preset_hash", "text", "SHA-256 of the image preset", missing="no image preset"),
    Column("prompt", "text", "the prompt as it was sent", missing="no prompt"),
    Column("negative_prompt", "text", "what the picture should not show", missing="none"),
    Column("chat_model", "text", "language model that answered", missing="no language model"),
    Column("prompt_tokens", "integer", "tokens of the question", "tokens", missing="not told"),
    Column("completion_tokens", "integer", "tokens of the answer", "tokens", missing="not told"),
    CHECKPOINT,
    Column("model_name", "text", "image model that was used, as the WebUI says", missing="not told"),
    Column("model_hash", "text", "short hash of the image model, as the WebUI says", missing="not told"),
    Column("sampler", "text", "sampler of the image model", missing="no image model"),
    Column("scheduler", "text", "schedule of the noise", missing="the sampler's own, or no image model"),
    Column("sampling_steps", "integer", "steps of the sampler", missing="no image model"),
    Column("cfg_scale", "number", "how closely the prompt is followed", missing="no image model"),
    Column("denoising_strength", "number", "how much of the input picture is changed, 0 to 1",
           missing="no input picture"),
    WIDTH, HEIGHT, SEED,
    Column("instance", "text", "WebUI that did it", missing="no WebUI"),
    Column("webui_version", "text", "version of the WebUI", missing="not told"),
    Column("step_images", "texts", "SHA-256 of the pictures that it made"),
    Column("not_applied", "text", "what was not done as asked, as JSON", missing="all was done as asked"),
    ERROR, MESSAGE,
)  # fmt: skip

OUTPUTS = _row("outputs", "result of a generation", GENERATION, STEP, *WHO, OPERATION,
    Column("output_index", "integer", "place in the answer, from 0"),
    Column("output_kind", "text", "what it is", allowed=("text", "image", "card")), IMAGE,
    Column("text", "text", "the text or card as JSON", missing="it is a picture"),
)  # fmt: skip

LINKS = _row("links", "link from a generation to an earlier one", GENERATION, *WHO,
    Column("parent_id", "text", "the earlier generation, whose output went in"),
    Column("from_position", "integer", "place of the earlier generation in its session, from 1",
           missing="it is not part of this data set"),
    Column("to_position", "integer", "place of this generation in its session, from 1"),
    Column("via_images", "texts", "SHA-256 of the pictures that went over"),
)  # fmt: skip

IMAGES = _row("images", "picture", IMAGE,
    Column("file", "text", "path of the picture in this data set"),
    Column("media_type", "text", "kind of file, as image/png"),
    Column("size_bytes", "integer", "size of the picture as it was made or sent", "bytes"),
    WIDTH, HEIGHT, CREATED,
    Column("image_role", "text", "where it was first met", allowed=("output", "step", "input", "upload", "other")),
    GENERATION,
    Column("output_index", "integer", "place in the answer, from 0", missing="it is no result of a generation"),
    Column("parameters_added", "boolean", "whether the text chunk `parameters` was put in by the export"),
)  # fmt: skip

SAVES = _row("saves", "save of a participant's work", *WHO, AT, TASK, STAGE,
    Column("scheme_count", "integer", "schemes in the save, of all stages"),
    Column("schemes", "text", "number of schemes by stage, as JSON"),
    Column("content", "text", "SHA-256 of the saved state; records/contents.jsonl has its text"),
)  # fmt: skip

UPLOADS = _row("uploads", "picture that came from the participant's page", *WHO, AT, IMAGE,
    Column("upload_kind", "text", "drawn in the page (canvas) or sent otherwise (baseline)",
           allowed=("canvas", "baseline")),
    Column("file_name", "text", "name of the file as it was sent"),
)  # fmt: skip

VISITS = _row("visits", "stay in a stage, as the page measured it", *WHO,
    Column("page_loaded_at_ms", "integer", "when the page was loaded, by the device's clock", "ms", missing="not told"),
    Column("visit_kind", "text", "stage of the design or of the assistant", allowed=("stage", "ai_stage")), STAGE,
    Column("start_time_ms", "integer", "beginning of the stay, by the device's clock, since 1970-01-01 UTC", "ms"),
    Column("duration_ms", "integer", "length of the stay", "ms", missing="the stay was not over"),
)  # fmt: skip

TABLES: Final = (
    CONDITIONS, SESSIONS, EVENTS, GENERATIONS, STEPS, OUTPUTS, LINKS, SAVES, UPLOADS, VISITS, IMAGES,
)  # fmt: skip
