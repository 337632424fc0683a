"""`python -m standins.chat`: start the stand-in for chat completions."""

import argparse

from standins.chat.app import Settings, create_app
from standins.serving import serve, set_up_logging


def main() -> None:
    """Read the command line and serve until stopped."""
    parser = argparse.ArgumentParser(prog="standins.chat", description="A stand-in for chat completions.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7871, help="0 takes a free one; the log tells it")
    parser.add_argument("--name", default="chat", help="told in /standin/state")
    parser.add_argument("--latency", type=float, default=0.3, help="seconds until an answer")
    parser.add_argument("--model", action="append", default=[], help="what /v1/models lists; repeatable")
    parser.add_argument("--journal", help="file for one JSON line per call")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND:PROBABILITY")
    wish = parser.parse_args()
    settings = Settings(
        name=wish.name, latency=wish.latency, models=wish.model or ["gpt-4"], journal=wish.journal, faults=wish.fault
    )
    set_up_logging()
    serve(create_app(settings), wish.host, wish.port, "chat")


if __name__ == "__main__":
    main()
