"""`python -m standins.webui`: start one stand-in WebUI."""

import argparse

from standins.pictures import Wish, draw
from standins.serving import serve, set_up_logging
from standins.webui.app import create_app
from standins.webui.instance import Settings


def main() -> None:
    """Read the command line and serve until stopped."""
    parser = argparse.ArgumentParser(prog="standins.webui", description="A stand-in for the Stable Diffusion WebUI.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7861, help="0 takes a free one; the log tells it")
    parser.add_argument("--name", default="webui", help="told in the journal and in /standin/state")
    parser.add_argument("--step-time", type=float, default=0.02, help="seconds per sampling step and picture")
    parser.add_argument("--load-time", type=float, default=0.5, help="seconds to load another checkpoint")
    parser.add_argument("--api-auth", help="user:password; without it no login is needed")
    parser.add_argument("--nowebui", action="store_true", help="no /internal/*")
    parser.add_argument("--journal", help="file for one JSON line per heavy call")
    parser.add_argument("--no-controlnet", action="store_true")
    parser.add_argument("--no-sam", action="store_true")
    parser.add_argument("--plain", action="store_true", help="trivially cheap pictures, for load tests")
    parser.add_argument("--checkpoint", action="append", default=[], help="replaces the default list; repeatable")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND:PROBABILITY")
    parser.add_argument("--worker-threads", type=int, default=40, help="calls answered at a time, as in the real one")
    wish = parser.parse_args()
    settings = Settings(
        name=wish.name, step_time=wish.step_time, load_time=wish.load_time, api_auth=wish.api_auth,
        nowebui=wish.nowebui, journal=wish.journal, controlnet=not wish.no_controlnet, sam=not wish.no_sam,
        plain=wish.plain, checkpoints=wish.checkpoint, faults=wish.fault, worker_threads=wish.worker_threads,
    )  # fmt: skip
    set_up_logging()
    draw(Wish("a lamp", size=(64, 64)))  # the first picture is slow; it should not be the first caller's
    serve(create_app(settings), wish.host, wish.port, "WebUI")


if __name__ == "__main__":
    main()
