"""The table of contents: which app answers where."""

from flask import Flask

from apps.media.routes import media
from apps.pool.routes import pool
from apps.prompts.routes import prompts
from apps.research.access import access
from apps.research.erasures import erasures
from apps.research.exports import exports
from apps.research.replays import replays
from apps.research.session_routes import sessions as research_sessions
from apps.research.study_routes import studies
from apps.sessions.routes import sessions
from apps.stepideator.generations import generations
from apps.stepideator.routes import stepideator
from apps.system.routes import system
from studio.pages import studio


def register_routes(app: Flask) -> None:
    """Mount every app."""
    app.register_blueprint(system)
    app.register_blueprint(media)
    app.register_blueprint(stepideator)
    app.register_blueprint(generations)
    app.register_blueprint(pool)
    app.register_blueprint(sessions)
    app.register_blueprint(access)
    app.register_blueprint(prompts)
    app.register_blueprint(studies)
    app.register_blueprint(research_sessions)
    app.register_blueprint(replays)
    app.register_blueprint(exports)
    app.register_blueprint(erasures)
    app.register_blueprint(studio)
