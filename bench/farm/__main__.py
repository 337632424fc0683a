"""`python -m bench.farm COUNT`: start that many WebUIs and a port to steer them; the first line names the ports."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence

from bench.farm.control import control_of
from bench.farm.instance import Instance, Timing
from bench.farm.paths import handler_of
from bench.farm.pictures import mask, picture_ends
from bench.farm.wire import listen


async def run(count: int, timing: Timing, loaded: Sequence[str]) -> None:
    """Serve until SIGTERM; `loaded` names the checkpoints of the first instances."""
    picture_ends(), mask()
    instances, endpoints = [], []
    for number in range(1, count + 1):
        instance = Instance(f"gpu-{number:02}", timing)
        instance.put(loaded[number - 1] if number <= len(loaded) else None)
        server = await listen(handler_of(instance), 0)
        endpoints.append(_address(server))
        instances.append(instance)
    control = await listen(control_of(instances, timing), 0)
    sys.stdout.write(json.dumps({"control": _address(control), "endpoints": endpoints}) + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


def _address(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="bench.farm", description="Many stand-in WebUIs in one process.")
    parser.add_argument("count", type=int)
    parser.add_argument("--image-s", type=float, default=1.0, help="seconds for one picture")
    parser.add_argument("--load-s", type=float, default=2.0, help="seconds to load a checkpoint")
    parser.add_argument("--segment-s", type=float, default=0.5, help="seconds for one segmentation")
    parser.add_argument("--loaded", nargs="*", default=[], help="checkpoints of the first instances")
    wish = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(wish.count, Timing(wish.image_s, wish.load_s, wish.segment_s), wish.loaded))


if __name__ == "__main__":
    main()
