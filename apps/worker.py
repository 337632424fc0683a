"""`python -m apps.worker`: the worker of a GPU host. It serves no HTTP; it runs what the web hosts accept.

It reads the same settings as the server: SD_ENDPOINTS are the WebUIs of this host, and DATA_DIR is this host's alone.
"""

import hashlib
import logging
import socket
import sys
from pathlib import Path

from apps.assembly import broker_of, build_services
from apps.logs import configure_logging
from apps.registry import PRESETS, presets_of
from config import Config, ConfigError, load_config
from jobs.celery_ability import Ability
from jobs.celery_hosts import Fleet
from jobs.celery_intake import Intake
from jobs.celery_orders import Orders
from jobs.celery_places import Places
from jobs.celery_recall import Recall
from jobs.celery_worker import MessageWorker
from jobs.pool_changes import OwnPool, PoolOrder
from settings.errors import SettingsError
from store.errors import StoreError

logger = logging.getLogger("apps.worker")


class Worker:
    """Everything that one GPU host runs."""

    def __init__(self, config: Config) -> None:
        """Build it; nothing connects yet. Raises SettingsError."""
        self._config = config
        self._services = build_services(config, self._facts)
        parts, jobs = self._services.parts, self._services.jobs
        presets = tuple(need.name for need in PRESETS)
        self._ability = Ability(name_of(config.DATA_DIR), parts, presets_of, presets)
        self._places = Places(self._ability.seats)
        generations, fleet = self._services.stores.generations, Fleet(self._services.stores.runners)
        self._intake = Intake(generations, self._places, self._ability, fleet, jobs.runner.adopt)
        self._recall = Recall(generations, jobs.runner)
        self._app = broker_of(config)
        self._orders = Orders(self._app, self._ability.name, self._change_pool)

    def run(self) -> int:
        """Work until a signal comes, and what runs has ended or is given back; return the exit code."""
        self._services.jobs.start()
        self._intake.start()
        self._recall.start()
        self._orders.start()
        code = self._messages().run()
        self._orders.stop()
        self._recall.stop()
        self._services.close()
        return code

    def _messages(self) -> MessageWorker:
        pool = self._services.parts.pool
        # Enough that a message always finds a thread: jobs that paint, have their texts written, chat, or wait.
        threads = 4 * (len(pool) if pool is not None else 0) + 8
        return MessageWorker(
            self._app, self._ability.name, threads, self._ability.queues, self._intake.take, self._wind_down
        )

    def _change_pool(self, order: PoolOrder) -> None:
        """Change this host's pool, and have everybody see it before the order is answered."""
        OwnPool(self._services.parts.pool).carry_out(order)
        logger.info("by order of a web host: %s %s", order.action, order.target)
        self._ability.look_again()
        try:
            self._services.jobs.beat()
        except StoreError as exc:
            logger.warning("what the pool is like now is seen when the database is back: %s", exc)

    def _facts(self) -> dict[str, object]:
        return {**self._ability.facts(), "spare": self._places.spare()}

    def _wind_down(self) -> None:
        """Take nothing new, and give back what has not ended within GRACEFUL_TIMEOUT."""
        self._intake.stop()
        runner = self._services.jobs.runner
        logger.info("stopping: %d jobs may end within %d s", len(runner.jobs), self._config.GRACEFUL_TIMEOUT)
        runner.wait_until_idle(self._config.GRACEFUL_TIMEOUT)
        runner.hand_over()


def name_of(data_dir: Path) -> str:
    """Name this worker: the machine, and which of several on it, the same after each restart."""
    return f"{socket.gethostname()}-{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:4]}"


def main() -> int:
    """Run the worker that the settings describe."""
    try:
        config = load_config()
        if config.JOBS_BACKEND != "celery":
            raise ConfigError("a worker needs JOBS_BACKEND=celery and CELERY_BROKER_URL; without them the server works")
        configure_logging(config.LOG_LEVEL, config.LOG_FORMAT)
        worker = Worker(config)
    except (ConfigError, SettingsError) as exc:
        sys.exit(str(exc))
    return worker.run()


if __name__ == "__main__":
    sys.exit(main())
