"""What tests and demos steer a stand-in with: the same `/standin/*` calls for each of them.

GET  /standin/state                      running, queued, served, maxima, gate, process id
POST /standin/gate    {"closed": bool, "at_step": n}
GET|POST|DELETE /standin/faults          list, plan one, forget all
GET|DELETE /standin/journal              entries so far; forget them, and the maxima of the state
POST /standin/timing  {name: seconds}    the names are the stand-in's own
"""

import os
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request

from standins.faults import FaultBook
from standins.gate import Counts, Gate
from standins.journal import Journal


@dataclass
class Controls:
    """The steerable parts of one stand-in; `timing` holds its seconds by name."""

    faults: FaultBook
    journal: Journal
    timing: dict[str, float]
    gate: Gate = field(default_factory=Gate)
    counts: Counts = field(default_factory=Counts)


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def control_blueprint(controls: Controls, kind: str, name: str) -> Blueprint:
    """The `/standin/*` calls over these controls."""
    control = Blueprint("standin", __name__, url_prefix="/standin")

    @control.get("/state")
    def state() -> Response:
        """Counts, gate and identity."""
        return jsonify({
            **controls.counts.as_dict(), "gate_closed": controls.gate.closed, "timing": controls.timing,
            "kind": kind, "name": name, "pid": os.getpid(),
        })  # fmt: skip

    @control.post("/gate")
    def gate() -> Response:
        """Close or open the gate."""
        body = _body()
        controls.gate.set(bool(body.get("closed")), int(body.get("at_step", 0)))
        return jsonify({"closed": controls.gate.closed, "at_step": controls.gate.at_step})

    @control.post("/timing")
    def timing() -> tuple[Response, int] | Response:
        """Change the seconds by name, for calls that start from now on."""
        unknown = set(_body()) - set(controls.timing)
        if unknown:
            return jsonify({"error": f"unknown timing {sorted(unknown)}; known: {sorted(controls.timing)}"}), 400
        controls.timing.update({key: float(value) for key, value in _body().items()})
        return jsonify(controls.timing)

    _add_books(control, controls)
    return control


def _add_books(control: Blueprint, controls: Controls) -> None:
    @control.route("/faults", methods=["GET", "POST", "DELETE"])
    def faults() -> tuple[Response, int] | Response:
        """List, plan or forget faults."""
        if request.method == "POST":
            try:
                controls.faults.add(_body())
            except ValueError as exc:
                return jsonify({"error": str(exc)}), 400
        elif request.method == "DELETE":
            controls.faults.clear()
        return jsonify(controls.faults.as_list())

    @control.route("/journal", methods=["GET", "DELETE"])
    def journal() -> Response:
        """The entries, or forget them."""
        if request.method == "DELETE":
            controls.journal.clear()
            controls.counts.forget_maxima()
        return jsonify(controls.journal.entries())
