"""deploy/nginx.conf, with the real program in front of the real server."""

import getpass
import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image

from config import Config
from tests.embedded import free_port
from tests.processes.harness import BIN, ROOT, answers_ping, get, program, until

CONF = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed here: apt-get install nginx-light"),
]


def own_configuration(folder: Path, port: int, server_port: int) -> Path:
    """Copy the file as it is, with only the ports and the folders of this test."""
    folder.mkdir()
    text = CONF.read_text("utf-8")
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("server 127.0.0.1:5002;", f"server 127.0.0.1:{server_port};"),
        ("/var/cache/nginx/stepideator", f"{folder}/cache"),
        ("/var/log/nginx/stepideator.log", f"{folder}/access.log"),
    ):
        assert old in text
        text = text.replace(old, new)
    temporary = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
    text = f"pid {folder}/nginx.pid;\n{user}" + text.replace("http {\n", "http {\n" + temporary)
    (folder / "nginx.conf").write_text(text, "utf-8")
    return folder / "nginx.conf"


def upload(front: str, **headers: str) -> str:
    """Send a picture as the front end does; return the URL that it gets."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(picture, "PNG")
    file = ("杯子.png", picture.getvalue(), "image/png")
    answer = requests.post(f"{front}/uploadImage", files={"file": file}, headers=headers, timeout=10)
    return str(answer.json()["url"])


@pytest.fixture
def front(project: Path, settings: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Run the server behind nginx, and give the URL of the front."""
    port, server_port = free_port(), free_port()
    env = {**settings, "PORT": str(server_port)}
    conf = own_configuration(tmp_path / "nginx", port, server_port)
    command = [NGINX or "", "-p", tmp_path / "nginx", "-c", conf, "-e", "stderr", "-g", "daemon off;"]
    server = program([BIN / "gunicorn", "-w", "1", "app:app"], project, tmp_path / "gunicorn.log", env)
    with server, program(command, tmp_path, tmp_path / "nginx.log"):
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers_ping(url), "the server behind nginx")
        yield url


def test_image_urls_carry_the_host_that_the_client_asked(front: str) -> None:
    assert upload(front).startswith(f"{front}/images/")
    behind_tls = upload(front, **{"Host": "study.example", "X-Forwarded-Proto": "https"})
    assert behind_tls.startswith("https://study.example/images/")


def test_a_picture_is_answered_by_nginx_the_second_time_as_the_same_picture(front: str) -> None:
    url = upload(front)
    answers = [get(url) for _ in range(2)]
    assert [headers["X-Cache"] for _status, _body, headers in answers] == ["MISS", "HIT"]
    assert answers[0][1] == answers[1][1]
    assert answers[1][2]["Access-Control-Allow-Origin"] == "*"


def test_a_body_that_the_server_takes_is_not_refused_before_it() -> None:
    found = re.search(r"client_max_body_size (\d+)m;", CONF.read_text("utf-8"))
    assert found and int(found.group(1)) > Config.model_fields["MAX_UPLOAD_MB"].default
