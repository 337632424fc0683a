"""Builds the parts of the server from its configuration."""

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.gpt import ChatClient, ChatConfig
from agent.host import Host
from agent.instance import SDInstance
from agent.ledger import Ledger
from agent.models import Model, models_of
from agent.multiview import MultiviewClient
from agent.pool import SDInstancePool
from apps.freezing import Seals
from apps.openapi import VERSION
from apps.participation import Participation
from apps.pictures import PictureDesk
from apps.registry import FUNCTIONS, OPERATION_PRESETS, PRESETS, PROMPTS, presets_of
from apps.services import Services
from jobs.celery_hosts import Fleet, models_of_hosts
from jobs.dispatch import Dispatcher
from jobs.heartbeat import Facts
from jobs.parts import Parts
from jobs.pool_changes import OwnPool, PoolChanges
from jobs.prometheus import PrometheusMetrics
from jobs.service import Jobs, Terms
from settings.book import SettingsBook
from store.connection import StoreConfig
from store.documents import GenerationRecord
from store.ids import new_id
from store.stores import open_stores

if TYPE_CHECKING:
    from celery import Celery

    from config import Config

LONGEST_JOB = 1.5
"""How much longer than JOB_TIMEOUT a message may be in a worker's hands: a job can wait there before it begins."""


def build_services(config: "Config", facts: Facts | None = None) -> Services:
    """Build the parts; nothing connects before it is used.

    Args:
        facts: what the other processes may know of this one; None: that it is a web process of this machine.

    Raises:
        SettingsError: a prompt or preset is wrong; the message names file and key.
    """
    stores = open_stores(StoreConfig(config.MONGO_URI.get_secret_value(), config.MONGO_DB))
    host = Host(config.DATA_DIR / "pool", new_id())
    ledger = Ledger(host)
    parts = Parts(
        stores=stores,
        book=SettingsBook.load(config.SETTINGS_DIR, PROMPTS, PRESETS, reload=config.SETTINGS_RELOAD),
        chat=_chat(config),
        pool=_pool(config, ledger),
        multiview=_multiview(config),
        sam_model=config.SAM_MODEL,
        metrics=PrometheusMetrics(config.DATA_DIR / "metrics"),
    )
    fleet = Fleet(stores.runners) if config.JOBS_BACKEND == "celery" else None
    dispatcher, pool_changes = _ways(config, parts, fleet)
    terms = Terms(
        presets=OPERATION_PRESETS,
        dispatcher=dispatcher,
        fleet=fleet,
        queue_limit=config.QUEUE_LIMIT,
        timeout_s=config.JOB_TIMEOUT,
        facts=facts or _web_facts,
    )
    desk = PictureDesk(stores.contents, config.PUBLIC_URL, config.MAX_IMAGE_MEGAPIXELS)
    seals, operations = _seals(config, parts), tuple(name for _, name in FUNCTIONS)
    return Services(
        stores=stores,
        jobs=Jobs(parts, FUNCTIONS, host, ledger, terms),
        pictures=desk,
        parts=parts,
        host=host,
        ledger=ledger,
        pool_changes=pool_changes,
        seals=seals,
        operations=frozenset(operations),
        users_of_settings=_users_of_settings(),
        participation=Participation(stores, operations, seals.differences),
    )


def _users_of_settings() -> dict[str, tuple[str, ...]]:
    users: dict[str, tuple[str, ...]] = {}
    for (_, operation), presets in OPERATION_PRESETS.items():
        for preset in presets:
            users[f"preset:{preset}"] = (*users.get(f"preset:{preset}", ()), operation)
    return users


def _seals(config: "Config", parts: Parts) -> Seals:
    def models() -> tuple[Model, ...]:
        is_spread = config.JOBS_BACKEND == "celery"
        return models_of_hosts(parts.stores) if is_spread else models_of(parts.pool)

    return Seals(parts, [need.name for need in PROMPTS], [need.name for need in PRESETS], models, VERSION)


def checkpoint_of(book: SettingsBook) -> Callable[[GenerationRecord], str | None]:
    """Give the function that names the first checkpoint that the run of a record needs; None: it only chats."""

    def first(record: GenerationRecord) -> str | None:
        names = presets_of(record)
        return (record.pins.get("checkpoint") or book.preset(names[0]).checkpoint) if names else None

    return first


def broker_of(config: "Config") -> "Celery":
    """Build the way to the broker that web hosts and worker hosts share; nothing connects yet."""
    from jobs.celery_app import celery_app

    return celery_app(config.CELERY_BROKER_URL.get_secret_value(), config.JOB_TIMEOUT * LONGEST_JOB)


def _ways(config: "Config", parts: Parts, fleet: Fleet | None) -> tuple[Dispatcher | None, PoolChanges]:
    """Give the ways by which jobs, and changes of the pool, come to the worker hosts of the fleet, or stay here."""
    if fleet is None:
        return None, OwnPool(parts.pool)
    # Only where it is used: Celery is large, and takes half a second to import.
    from jobs.celery_dispatch import CeleryDispatcher
    from jobs.celery_pool import HostPools

    app = broker_of(config)
    return CeleryDispatcher(app, fleet, checkpoint_of(parts.book)), HostPools(app, parts.stores.runners)


def _web_facts() -> dict[str, str]:
    return {"kind": "web", "host": socket.gethostname()}


def _chat(config: "Config") -> ChatClient | None:
    if config.chat_provider == "azure":
        return ChatClient(
            ChatConfig(
                provider="azure",
                endpoint=config.AZURE_OPENAI_ENDPOINT,
                api_key=config.AZURE_OPENAI_API_KEY.get_secret_value(),
                api_version=config.AZURE_OPENAI_API_VERSION,
                model=config.AZURE_OPENAI_DEPLOYMENT,
                timeout_s=config.CHAT_TIMEOUT,
                max_retries=config.CHAT_MAX_RETRIES,
            )
        )
    if config.chat_provider == "openai":
        return ChatClient(
            ChatConfig(
                provider="openai",
                endpoint=config.OPENAI_BASE_URL or None,
                api_key=config.OPENAI_API_KEY.get_secret_value(),
                model=config.OPENAI_MODEL,
                timeout_s=config.CHAT_TIMEOUT,
                max_retries=config.CHAT_MAX_RETRIES,
            )
        )
    return None


def _pool(config: "Config", ledger: Ledger) -> SDInstancePool | None:
    if not config.SD_ENDPOINTS:
        return None
    instances = [
        SDInstance(
            endpoint,
            config.SD_API_AUTH.get_secret_value() or None,
            connect_timeout_s=config.SD_CONNECT_TIMEOUT,
            read_timeout_s=config.SD_READ_TIMEOUT,
        )
        for endpoint in config.SD_ENDPOINTS
    ]
    return SDInstancePool(
        instances,
        timeout_s=config.SD_POOL_TIMEOUT,
        ledger=ledger,
        overtake_s=config.SD_OVERTAKE_LIMIT,
        max_batch=config.SD_MAX_BATCH,
        patience_s=config.SD_PATIENCE,
    )


def _multiview(config: "Config") -> MultiviewClient | None:
    if not config.MULTIVIEW_ENDPOINT:
        return None
    return MultiviewClient(
        config.MULTIVIEW_ENDPOINT, connect_timeout_s=config.SD_CONNECT_TIMEOUT, read_timeout_s=config.SD_READ_TIMEOUT
    )
