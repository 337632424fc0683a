"""Upload pictures, and hand them out."""

import re

from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from apps.codes import BUSINESS_FAIL
from apps.errors import BusinessException
from apps.media.schemas import UploadAnswer, UploadBody
from apps.media.thumbnails import MEDIA_TYPE as THUMBNAIL_TYPE
from apps.media.thumbnails import SIDES, side_of, thumbnail
from apps.openapi import answers, api, documented, read_json
from apps.pictures import EXTENSIONS
from apps.schemas import succeeded
from apps.services import services
from store.uploads import Upload, UploadKind

media = Blueprint("media", __name__)

NAME = re.compile(r"([0-9a-f]{64})\.([a-z]{3,4})")
YEAR_S = 365 * 24 * 3600
FILE_NAME_LIMIT = 1000
NAME_MEANING = "as an answer's URL has it: the SHA-256 of the picture, a dot, and the type's extension"

FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "the picture"}},
}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": FORM},
        "application/json": {"schema": UploadBody.model_json_schema()},
    },
}
SIZE = {
    "name": "size",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "enum": list(SIDES)},
    "description": "longest side in pixels of a small form, as WEBP",
}
PICTURE = {"200": {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in EXTENSIONS}}}


@media.post("/upload")
@documented(requestBody=BODY)
@api.validate(resp=answers(UploadAnswer, 400, 413, 422), tags=["pictures"])
def upload() -> ResponseReturnValue:
    """Upload the canvas.

    Multipart with one part `file`, or JSON `{"image": …}`. The `url` of the answer goes into
    `selectedCanvasRecords` of the following `/generate`.
    """
    return _kept("canvas")


@media.post("/uploadImage")
@documented(requestBody=BODY)
@api.validate(resp=answers(UploadAnswer, 400, 413, 422), tags=["pictures"])
def upload_image() -> ResponseReturnValue:
    """Upload a picture of the participant's own.

    Multipart with one part `file`, or JSON `{"image": …}`. PNG, JPEG, GIF and WEBP are taken and kept as they are.
    """
    return _kept("baseline")


@media.get("/images/<name>")
@documented(responses=PICTURE, parameters=[SIZE])
@api.validate(resp=answers(None, 404, 422), tags=["pictures"], path_parameter_descriptions={"name": NAME_MEANING})
def image(name: str) -> ResponseReturnValue:
    """Hand out a picture, or a small form of it.

    A picture's name is the hash of its content, so it never changes and may be cached for ever. With `size` it comes as
    WEBP with that longest side, and never larger than it is.
    """
    side = side_of(request.args["size"]) if "size" in request.args else None
    found = NAME.fullmatch(name)
    content = services().stores.contents.get(found[1]) if found else None
    if found is None or content is None or EXTENSIONS.get(content.ref.media_type) != found[2]:
        raise NotFound("there is no such picture")
    if side is not None:
        response = make_response(thumbnail(services().stores, content, side))
        response.content_type = THUMBNAIL_TYPE
        return _cacheable(response, f"{found[1]}-{side}")
    response = make_response(content.data)
    response.content_type = content.ref.media_type
    return _cacheable(response, found[1])


def _kept(kind: UploadKind) -> ResponseReturnValue:
    desk = services().pictures
    if request.is_json:
        file_name, picture = "", desk.read("image", read_json(UploadBody).image)
    else:
        part = request.files.get("file")
        if part is None:
            raise BusinessException(BUSINESS_FAIL, "No file provided: send a multipart form with the part 'file'")
        file_name, picture = part.filename or "", desk.inspect("file", part.read())
    sha256 = desk.keep(picture)
    services().stores.uploads.add(Upload(None, sha256, file_name[:FILE_NAME_LIMIT], kind))
    url = desk.url(sha256)
    return succeeded({"url": url}, url=url)


def _cacheable(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.cache_control.public = True
    response.cache_control.max_age = YEAR_S
    response.cache_control.immutable = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.make_conditional(request)
    return response
