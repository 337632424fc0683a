"""The parts that a route may use: built once for each process, handed in, never reached for."""

from dataclasses import dataclass

from flask import current_app

from apps.pictures import PictureDesk
from jobs.parts import Parts
from jobs.runner import Runner
from store.stores import Stores

EXTENSION = "stepideator"


@dataclass(frozen=True)
class Services:
    """What a route may use."""

    stores: Stores
    runner: Runner
    pictures: PictureDesk
    parts: Parts

    def close(self) -> None:
        """Give connections and instances back; the process ends."""
        self.runner.stop()
        self.stores.close()
        for part in (self.parts.pool, self.parts.chat, self.parts.multiview):
            if part is not None:
                part.close()


def services() -> Services:
    """Return the services of the app that serves the current request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
