"""The WSGI entry: `gunicorn app:app`, `flask --app app …`, or `python app.py` to serve right here."""

import sys

from apps.factory import create_app
from config import ConfigError, load_config
from settings.errors import SettingsError

try:
    config = load_config()
    app = create_app(config)
except (ConfigError, SettingsError) as exc:
    sys.exit(str(exc))

if __name__ == "__main__":
    app.run(host=config.HOST, port=config.PORT, threaded=True)
