"""Puts the server together: parts, border, routes."""

import atexit
from typing import TYPE_CHECKING

from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from apps.assembly import build_services
from apps.border import register_border
from apps.commands import register_commands
from apps.errors import register_errors
from apps.guard import register_guard
from apps.logs import configure_logging, register_request_log
from apps.routes import register_routes
from apps.services import EXTENSION, Services
from apps.system.counting import register_counting
from studio.compression import register_compression

if TYPE_CHECKING:
    from config import Config


def create_app(config: "Config", services: Services | None = None) -> Flask:
    """Build the server. Nothing connects yet.

    Args:
        config: the checked settings.
        services: the parts, when they are not to be built from the settings.

    Raises:
        SettingsError: a prompt or preset is wrong.
    """
    app = Flask("stepideator", static_folder=None)
    _configure(app, config)
    parts = app.extensions[EXTENSION] = services or _own_services(config)
    app.before_request(parts.jobs.start)
    register_counting(app, parts.parts.metrics)
    register_errors(app)
    register_guard(app, config)
    register_routes(app)
    register_commands(app, config)
    return app


def _configure(app: Flask, config: "Config") -> None:
    configure_logging(config.LOG_LEVEL, config.LOG_FORMAT)
    register_request_log(app)
    register_border(app)
    register_compression(app)
    limit = config.MAX_UPLOAD_MB * 2**20
    app.config.update(MAX_CONTENT_LENGTH=limit, MAX_FORM_MEMORY_SIZE=limit, MAX_FORM_PARTS=100)
    app.config.update(ADMIN_TOKEN=config.ADMIN_TOKEN.get_secret_value(), JOBS_BACKEND=config.JOBS_BACKEND)
    app.config.update(PROMPTS_EDITABLE=config.PROMPTS_EDITABLE)
    app.config.update(EXPORTS_DIR=config.DATA_DIR / "exports")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    hops = config.PROXY_COUNT
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=hops, x_prefix=hops
    )
    # `*` is sent whether or not a request has an Origin: a browser may reuse the answer that <img> got for `fetch`.
    CORS(
        app,
        origins="*" if "*" in config.CORS_ORIGINS else list(config.CORS_ORIGINS),
        send_wildcard="*" in config.CORS_ORIGINS,
        expose_headers=[
            *("X-Request-ID", "X-Generation-ID", "X-Seed", "Retry-After"),
            *("Location", "Preference-Applied", "Idempotency-Replayed"),
        ],
        max_age=86400,
    )


def _own_services(config: "Config") -> Services:
    services = build_services(config)
    atexit.register(services.close)
    return services
