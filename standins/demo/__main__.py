"""`make demo`: a participant walks all 14 operations over HTTP, as the front end does it, and keeps what comes back.

Everything goes to out/: each text as .json, each picture and canvas as .png, and one contact sheet.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import requests
from PIL import Image
from tqdm import tqdm

from config import load_config
from standins.demo.contact_sheet import Cell, draw_sheet
from standins.demo.lettering import can_write_chinese
from standins.demo.participant import Participant, WrongAnswerError
from standins.demo.walk import STEPS, TASK, TASK_IN_ENGLISH, Step, canvas_of

OUT = Path("out")
START_TIMEOUT_S = 120.0


@dataclass
class Findings:
    """What each step gave so far, by its number; the later steps build on it."""

    images: dict[int, list[Image.Image]] = field(default_factory=dict)
    texts: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)


@click.command(help=__doc__)
def main() -> None:
    """Walk; exit code 0 when all 14 operations answered as they must, 1 when not, 2 when there is no server."""
    asked_for = os.environ.get("BASE_URL", "").rstrip("/")
    base_url = asked_for or f"http://127.0.0.1:{load_config().PORT}"
    # The texts on the sheet must be readable, so the participant speaks a language that this machine has letters for.
    task = TASK if can_write_chinese() else TASK_IN_ENGLISH
    with _server_at(base_url, may_start=not asked_for):
        OUT.mkdir(exist_ok=True)
        # Only now: when no server answers, the last walk's pictures stay.
        for old in [*OUT.glob("[0-9][0-9]-*"), *OUT.glob("contact-sheet.png")]:
            old.unlink()
        cells = walk(Participant(base_url, task))
    draw_sheet(cells, task).save(OUT / "contact-sheet.png")
    failed = [cell for cell in cells if cell.failure]
    for cell in failed:
        click.secho(f"  {cell.number:2} {cell.title}: {cell.failure}", fg="red", err=True)
    click.echo(f"{len(cells) - len(failed)} of {len(cells)} operations answered; see {OUT / 'contact-sheet.png'}")
    sys.exit(1 if failed else 0)


def walk(participant: Participant) -> list[Cell]:
    """Take all steps, each on what the earlier ones gave; return their cells of the sheet in the contract's order."""
    findings = Findings()
    with tqdm(STEPS, bar_format="{bar:28} {n}/{total}  {elapsed}  {desc}") as bar:
        for step in bar:
            bar.set_description_str(step.title)
            findings.cells.append(_take(participant, step, findings))
        participant.record_time()
    return sorted(findings.cells, key=lambda cell: cell.number)


def _take(participant: Participant, step: Step, findings: Findings) -> Cell:
    """Take one step; a failure goes into its cell, and the walk goes on."""
    try:
        texts = step.texts(findings.texts)
        canvas = canvas_of(step, findings.images)
        url = participant.upload(canvas) if canvas else None
        answer = participant.generate(step, texts, url)
    except LookupError:
        return Cell(step.number, step.title, step.button, failure="an earlier operation gave nothing to go on with")
    except (WrongAnswerError, requests.RequestException) as exc:
        return Cell(step.number, step.title, step.button, failure=str(exc))
    findings.images[step.number], findings.texts[step.number] = answer.images, answer.texts
    _keep(step, canvas, answer.images, answer.texts)
    return Cell(step.number, step.title, step.button, tuple(texts), canvas, tuple(answer.images), tuple(answer.texts))


def _keep(step: Step, canvas: Image.Image | None, images: list[Image.Image], texts: list[dict[str, object]]) -> None:
    stem = f"{step.number:02}-{step.name}"
    if canvas:
        canvas.save(OUT / f"{stem}-canvas.png")
    for number, image in enumerate(images, 1):
        image.save(OUT / f"{stem}-{number}.png")
    for number, text in enumerate(texts, 1):
        (OUT / f"{stem}-{number}.json").write_text(json.dumps(text, ensure_ascii=False, indent=2), "utf-8")


@contextmanager
def _server_at(base_url: str, may_start: bool) -> Iterator[None]:
    """Use the server that answers there, or start one for as long as the demo takes."""
    if _answers(base_url):
        click.echo(f"Using the server at {base_url}.")
        yield
        return
    if not may_start:
        click.secho(f"no server answers at {base_url}/ping: start it, or leave BASE_URL away", fg="red", err=True)
        sys.exit(2)
    click.echo("No server runs, so one is started for the time of the demo (its log: out/server.log) ...")
    with (OUT / "server.log").open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "standins.run", "--end-with-parent"]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            _wait_for(base_url, process)
            yield
        finally:
            process.terminate()
            process.wait()


def _wait_for(base_url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < end:
        if _answers(base_url):
            return
        time.sleep(0.1)
    tail = "\n".join((OUT / "server.log").read_text("utf-8").splitlines()[-15:])
    click.secho(f"the server did not start; its last lines:\n{tail}", fg="red", err=True)
    sys.exit(2)


def _answers(base_url: str) -> bool:
    try:
        return requests.get(f"{base_url}/ping", timeout=5).text == "pong"
    except requests.RequestException:
        return False


if __name__ == "__main__":
    main()
