"""How the bench steers the farm and reads its journal, on a port that no WebUI has.

GET    /journal                          every heavy call since the last DELETE, oldest first
DELETE /journal                          forget those that have ended
POST   /timing  {name: seconds}          for calls that start from now on
POST   /fault   {"instance", "kind"}     "hang", "error_500" or ""
POST   /loaded  {instance: checkpoint}   put a checkpoint into memory at once, before anything runs
POST   /hasten                           end what is being painted at once, and well
GET    /loaded                           what each instance has in memory
"""

from collections.abc import Sequence
from typing import Any

from bench.farm.instance import Instance, Timing
from bench.farm.wire import Answer, Handler, Request, answer_json


def control_of(instances: Sequence[Instance], timing: Timing) -> Handler:
    """Answer the calls that steer these instances."""
    by_name = {instance.name: instance for instance in instances}

    def journal(_body: Any) -> Any:
        entries = [entry for instance in instances for entry in instance.journal]
        return [entry.as_dict() for entry in sorted(entries, key=lambda entry: entry.arrived)]

    def forget(_body: Any) -> None:
        for instance in instances:
            instance.journal = [entry for entry in instance.journal if not entry.end]

    def set_timing(body: Any) -> None:
        for name, seconds in body.items():
            setattr(timing, name, float(seconds))

    def set_fault(body: Any) -> None:
        by_name[body["instance"]].set_fault(body["kind"])

    def set_loaded(body: Any) -> None:
        for name, wanted in body.items():
            by_name[name].put(wanted)

    def hasten(_body: Any) -> None:
        for instance in instances:
            instance.hasten()

    def loaded(_body: Any) -> dict[str, str]:
        return {instance.name: instance.loaded.model_name for instance in instances}

    table = {
        ("GET", "/journal"): journal, ("DELETE", "/journal"): forget, ("POST", "/timing"): set_timing,
        ("POST", "/fault"): set_fault, ("POST", "/loaded"): set_loaded, ("GET", "/loaded"): loaded,
        ("POST", "/hasten"): hasten,
    }  # fmt: skip

    async def handle(request: Request) -> Answer:
        call = table.get((request.method, request.path))
        return answer_json(call(request.json()) if call else None, 200 if call else 404)

    return handle
