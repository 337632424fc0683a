"""The pages' files: found, cached rightly, compressed, and nothing but files."""

from __future__ import annotations

import re

import pytest

from tests.api.server import Server

pytestmark = pytest.mark.api

STATIC = re.compile(r'(?:src|href)="(/studio/static/v-[0-9a-f]{12}/[^"]+)"')


def _files(server: Server, page: str = "/") -> list[str]:
    return STATIC.findall(server.get(page).text)


@pytest.mark.parametrize("page", ["/", "/join/any-key", "/studio/index"])
def test_every_file_that_a_page_names_is_there_and_cached_for_ever(server: Server, page: str) -> None:
    names = _files(server, page)
    assert names
    for name in names:
        answer = server.get(name)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"], name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_is_looked_at_again_each_time_and_not_sent_again(server: Server) -> None:
    first = server.get("/")

    assert first.headers["Cache-Control"] == "no-cache"
    again = server.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


def test_a_file_of_another_version_is_given_out_but_not_kept(server: Server) -> None:
    answer = server.get("/studio/static/v-000000000000/shared/api.js")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_files_are_compressed_as_the_browser_likes_it(server: Server, encoding: str) -> None:
    answer = server.get(_files(server)[0].rpartition("/")[0] + "/theme.css", headers={"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_lists_are_compressed_and_pictures_are_not(server: Server) -> None:
    assert server.get("/api/operations", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in server.get("/ping", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    "path",
    [
        "/studio/nothing",
        "/studio/static/nothing.js",
        "/studio/static/index.html",
        "/studio/static/../files.py",
        "/studio/static/%2e%2e/files.py",
        "/studio/static/v-1/../../pages.py",
    ],
)
def test_what_is_no_file_of_the_pages_is_not_found(server: Server, path: str) -> None:
    answer = server.get(path)

    assert answer.status_code == 404
    assert answer.json()["success"] is False


def test_a_page_may_load_only_what_this_server_has(server: Server) -> None:
    policy = server.get("/").headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy, "no script within a page, none of another host"


def test_the_prefix_of_a_proxy_stands_before_every_file(server: Server) -> None:
    text = server.get("/", headers={"X-Forwarded-Prefix": "/lab"}).text

    assert 'data-root="/lab"' in text
    assert 'src="/lab/studio/static/v-' in text
