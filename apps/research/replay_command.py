"""`flask replay`: run a session once more from its records, in this process, and say what is equal."""

import sys
from collections.abc import Sequence

import click
from flask.cli import with_appcontext
from pydantic import ValidationError

from apps.research.replay_views import is_equal
from apps.research.replaying.asking import MOST_AT_ONCE, USUAL_AT_ONCE, ReplayError, ask_for
from apps.research.replaying.driving import Driver, is_stalled
from apps.research.replaying.planning import Changes
from apps.research.replaying.repeating import Tools
from apps.research.replaying.shapes import Judgement
from apps.services import Services, services
from store.errors import StoreError
from store.replays import Replay, ReplayItem

BY = "command line"


@click.command("replay")
@click.option("--session", "session_id", help="The session to replay.")
@click.option("--resume", "replay_id", help="A replay to go on with, in place of a session.")
@click.option("--checkpoint", help="In the place of the one in every preset.")
@click.option("--prompts", multiple=True, metavar="current|NAME=HASH", help="Other versions of prompts; repeatable.")
@click.option("--presets", multiple=True, metavar="current|NAME=HASH", help="Other versions of presets; repeatable.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Another seed for every generation.")
@click.option(
    "--at-once", type=click.IntRange(1, MOST_AT_ONCE), default=USUAL_AT_ONCE, show_default=True,
    help="Generations under way at a time.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit code 1 unless all is equal.")
@with_appcontext
def replay(
    session_id: str | None, replay_id: str | None, checkpoint: str | None, prompts: Sequence[str],
    presets: Sequence[str], seed: int | None, at_once: int, strict: bool,
) -> None:  # fmt: skip
    """Run a session's generations once more from their records, and compare what comes of it.

    With nothing changed every picture should be equal. With another checkpoint or other prompts, old and new are shown
    side by side on the researcher's page. It works without a server, and beside a running one, sharing its instances.
    """
    parts = services()
    if (session_id is None) == (replay_id is None):
        raise click.UsageError("name either a --session, or with --resume a replay")
    try:
        if replay_id is not None:
            asked = _found(parts, replay_id)
        else:
            changes = changes_of(checkpoint, prompts, presets, seed)
            book = parts.parts.book
            asked = ask_for(parts.stores, book, session_id or "", changes, requested_by=BY, at_once=at_once)
        ended = _driven(parts, asked)
    except (ReplayError, StoreError) as exc:
        raise click.ClickException(str(exc)) from exc
    _tell(parts, ended)
    sys.exit(1 if ended.state != "done" or (strict and not is_equal(ended)) else 0)


def changes_of(checkpoint: str | None, prompts: Sequence[str], presets: Sequence[str], seed: int | None) -> Changes:
    """Read what the options change. Raises UsageError that names the option."""
    values = {
        "checkpoint": checkpoint,
        "prompts": _versions("--prompts", prompts),
        "presets": _versions("--presets", presets),
        "seed": seed,
    }
    try:
        return Changes.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as exc:
        # Of a name with its version, that it is not the word `current` goes without saying.
        problem = exc.errors(include_url=False)[-1]
        message = problem["msg"].removeprefix("Value error, ")
        raise click.UsageError(f"--{problem['loc'][0]}: {message}") from exc


def _versions(option: str, given: Sequence[str]) -> str | dict[str, str] | None:
    if not given:
        return None
    if list(given) == ["current"]:
        return "current"
    if not all("=" in one for one in given):
        raise click.UsageError(f"{option}: write either `current` alone, or NAME=HASH as often as needed")
    return {name: version for name, _, version in (one.partition("=") for one in given)}


def _found(parts: Services, replay_id: str) -> Replay:
    found = parts.stores.replays.get(replay_id)
    if found is None:
        raise click.ClickException(f"there is no replay {replay_id!r}")
    if found.state == "done":
        raise click.ClickException(f"replay {found.id} is done; replay the session again for another one")
    if found.state in ("waiting", "running") and not is_stalled(found, parts.host):
        raise click.ClickException(f"replay {found.id} is under way in another process")
    return found


def _driven(parts: Services, asked: Replay) -> Replay:
    tools = Tools(parts.stores, parts.jobs, parts.parts.book, parts.host)
    click.echo(f"replay {asked.id}: {asked.total} generations of session {asked.session_id}", err=True)
    with click.progressbar(length=asked.total, label="replayed", file=sys.stderr) as bar:
        bar.update(asked.done)
        try:
            ended = Driver(tools, lambda _item: bar.update(1)).drive(asked)
        except KeyboardInterrupt:
            raise click.ClickException(f"stopped; go on with: flask replay --resume {asked.id}") from None
    if ended is None:
        raise click.ClickException(f"another process has taken replay {asked.id}")
    return ended


def _tell(parts: Services, ended: Replay) -> None:
    """Write a line for each generation, and the sum of all."""
    records = parts.stores.generations
    for item in parts.stores.replays.items(ended.id):
        record = records.get(item.generation_id)
        click.echo(f"{item.number:4}  {record.operation if record else '?':22} {_line(item)}")
    tallies = ended.tallies
    for kind, words in (("images", "pictures"), ("texts", "texts")):
        told = [f"{tallies[f'{kind}.{verdict}']} {verdict}" for verdict in ("equal", "similar", "differs")
                if f"{kind}.{verdict}" in tallies]  # fmt: skip
        if told:
            click.echo(f"{words}: {', '.join(told)}")
    click.echo(f"replay {ended.id} is {ended.state}: {'all is equal' if is_equal(ended) else 'not all is equal'}")


def _line(item: ReplayItem) -> str:
    if not item.judgement:
        return "not done"
    found = Judgement.model_validate_json(item.judgement)
    score = "" if found.score in (None, 1.0) else f" ({found.score:.3f})"
    why = f": {'; '.join(reason.text for reason in found.why)}" if found.why else ""
    return f"{found.verdict.replace('_', ' ')}{score}{why}"
