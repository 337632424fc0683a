"""deploy/nginx.conf, with the real program in front of the real server."""

import getpass
import io
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.adapters
from PIL import Image

from config import Config
from store.ids import new_id
from tests.embedded import free_port
from tests.processes.crowd import Crowd
from tests.processes.harness import BIN, ROOT, answers_ping, checkout, get, program, until
from tests.stand_ins import StandIn, stand_in

CONF = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed here: apt-get install nginx-light"),
]


PATIENCE_S = 19
"""After which silence nginx ends a stream in these tests: a little more than the server's comments are apart."""


def own_configuration(folder: Path, port: int, server_port: int) -> Path:
    """Copy the file as it is, with only the ports, the folders and the patience of this test."""
    folder.mkdir()
    text = CONF.read_text("utf-8")
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("server 127.0.0.1:5002;", f"server 127.0.0.1:{server_port};"),
        ("/var/cache/nginx/stepideator", f"{folder}/cache"),
        ("/var/log/nginx/stepideator.log", f"{folder}/access.log"),
        ("proxy_read_timeout 3600s;", f"proxy_read_timeout {PATIENCE_S}s;"),
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


@pytest.fixture(scope="module")
def chat() -> Iterator[StandIn]:
    """Run one chat service for all tests here."""
    with stand_in("chat", "--latency", "0") as service:
        yield service


@pytest.fixture(scope="module")
def front(chat: StandIn, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one server behind nginx, and give the URL of the front."""
    folder, port, server_port = tmp_path_factory.mktemp("front"), free_port(), free_port()
    env = {
        "PORT": str(server_port),
        "MONGO_URI": mongo_uri,
        "MONGO_DB": f"test_{new_id().lower()}",
        "OPENAI_BASE_URL": f"{chat.url}/v1",
        "DATA_DIR": str(folder / "data"),
    }
    conf = own_configuration(folder / "nginx", port, server_port)
    command = [NGINX or "", "-p", folder / "nginx", "-c", conf, "-e", "stderr", "-g", "daemon off;"]
    gunicorn = [BIN / "gunicorn", "-w", "1", "app:app"]
    server = program(gunicorn, checkout(folder / "checkout"), folder / "gunicorn.log", env)
    with server, program(command, folder, folder / "nginx.log"):
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


def submitted(front: str) -> str:
    """Submit a generation, and give the path of its events."""
    body = {"username": "小明", "operation": "brief.create_new", "task": "台灯"}
    answer = requests.post(f"{front}/api/generations", json=body, timeout=10)
    assert answer.status_code == 202, answer.text
    return f"/api/generations/{answer.json()['data']['id']}/events"


def port_of(url: str) -> int:
    """The port that a URL names."""
    return int(url.rpartition(":")[2])


def test_an_event_is_there_when_it_happens_and_a_stream_outlives_the_patience_of_nginx(
    front: str, chat: StandIn
) -> None:
    chat.close_gate(at_step=0)
    with Crowd(port_of(front)) as crowd:
        answer, end = crowd.get(submitted(front))
        until(lambda: answer.events(), "the first event, long before the last")
        began = time.monotonic()
        until(lambda: time.monotonic() > began + PATIENCE_S + 1, "the end of the silence")
        assert not end.done()
        chat.open_gate()
        end.result(20)
    assert answer.events()[-1]["data"]["job"]["state"] == "succeeded"
    assert len(set(answer.arrivals_s)) > 1


def test_who_comes_back_through_nginx_gets_what_it_has_not_seen(front: str) -> None:
    path = submitted(front)
    with Crowd(port_of(front)) as crowd:
        everything = crowd.get(path)[1].result(20).events()
        ids = [int(event["id"]) for event in everything if "id" in event]
        rest = crowd.get(path, {"Last-Event-ID": str(ids[1])})[1].result(20).events()
        nothing = crowd.get(path, {"Last-Event-ID": str(ids[-1])})[1].result(20)
    assert [int(event["id"]) for event in rest] == ids[2:]
    assert nothing.status == 204


def test_only_this_machine_is_told_what_the_server_counts(front: str) -> None:
    with requests.Session() as elsewhere:
        elsewhere.mount("http://", FromAnotherAddress())
        assert get(f"{front}/metrics")[0] == 200
        assert elsewhere.get(f"{front}/metrics", timeout=10).status_code == 403


class FromAnotherAddress(requests.adapters.HTTPAdapter):
    """Calls as another machine would, by another address of this one."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Bind each socket to it."""
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **kwargs)
