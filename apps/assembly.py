"""Builds the parts of the server from its configuration."""

from typing import TYPE_CHECKING

from agent.gpt import ChatClient, ChatConfig
from agent.instance import SDInstance
from agent.multiview import MultiviewClient
from agent.pool import SDInstancePool
from apps.pictures import PictureDesk
from apps.registry import FUNCTIONS, PRESETS, PROMPTS
from apps.services import Services
from jobs.parts import Parts
from jobs.runner import Runner
from settings.book import SettingsBook
from store.connection import StoreConfig
from store.stores import open_stores

if TYPE_CHECKING:
    from config import Config


def build_services(config: "Config") -> Services:
    """Build the parts; nothing connects before it is used.

    Raises:
        SettingsError: a prompt or preset is wrong; the message names file and key.
    """
    stores = open_stores(StoreConfig(config.MONGO_URI.get_secret_value(), config.MONGO_DB))
    parts = Parts(
        stores=stores,
        book=SettingsBook.load(config.SETTINGS_DIR, PROMPTS, PRESETS, reload=config.SETTINGS_RELOAD),
        chat=_chat(config),
        pool=_pool(config),
        multiview=_multiview(config),
        sam_model=config.SAM_MODEL,
    )
    desk = PictureDesk(stores.contents, config.PUBLIC_URL, config.MAX_IMAGE_MEGAPIXELS)
    return Services(stores, Runner(parts, FUNCTIONS), desk, parts)


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


def _pool(config: "Config") -> SDInstancePool | None:
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
    return SDInstancePool(instances, timeout_s=config.SD_POOL_TIMEOUT, locks_dir=config.DATA_DIR / "locks")


def _multiview(config: "Config") -> MultiviewClient | None:
    if not config.MULTIVIEW_ENDPOINT:
        return None
    return MultiviewClient(
        config.MULTIVIEW_ENDPOINT, connect_timeout_s=config.SD_CONNECT_TIMEOUT, read_timeout_s=config.SD_READ_TIMEOUT
    )
