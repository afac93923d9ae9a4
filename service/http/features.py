"""Features that are stored beside the bundle: written, shown and deleted, one user or video at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import unquote_to_bytes

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.convertors import PathConvertor, register_url_convertor

from model.contract.mistakes import mistake, quote
from model.contract.request import LONGEST_ID
from model.contract.stored_features import (
    FORMS,
    Document,
    Entity,
    UserFeatures,
    VideoFeatures,
    check_stored,
    write_document,
)
from service.errors import NothingStored
from service.http.body import read
from service.http.examples import features
from service.http.guarded import needs
from service.http.media import Media, MediaType, UnsupportedBody
from service.http.wired import Live, Store, StoringAdmission
from service.protection.scope import Scope
from service.registry.live import LiveBundle

router = APIRouter(prefix="/v1/features", tags=["features"], route_class=needs(Scope.FEATURES))
WRONG_ID = "the id in the path"
Done = TypeVar("Done")


class _Text(PathConvertor):
    """What `path` is, but with line breaks."""

    regex = "(?s:.*)"


register_url_convertor("text", _Text())


async def _id(
    request: Request,
    one: Annotated[str, Path(alias="id", json_schema_extra={"minLength": 1, "maxLength": LONGEST_ID})],
) -> str:
    """What the path names, which may hold anything, slashes too. Raises InputError."""
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError:  # the server has put the same sign for whatever it could not read
        raise mistake(WRONG_ID, "UTF-8, percent-encoded", "other bytes") from None
    if not 1 <= len(one) <= LONGEST_ID:
        raise mistake(WRONG_ID, f"1 to {LONGEST_ID} characters", quote(one) if one else "none")
    return one


@dataclass(frozen=True, slots=True)
class Entry:
    """The place in the store that a request is about. Who writes waits for the disk: it is done by threads that rank
    nothing.
    """

    request: Request
    id: Annotated[str, Depends(_id)]
    store: Store
    admission: StoringAdmission

    async def run(self, work: Callable[[bytes], Done]) -> Done:
        return await self.admission.run(self.request, work)


At = Annotated[Entry, Depends(Entry)]


@router.put("/users/{id:text}", status_code=204, responses=features.PUT_FEATURES, openapi_extra=features.USER_BODY)
async def put_user(entry: At, live: Live) -> Response:
    """Replace what is stored of a user. It lies over what the bundle has, and under what a request gives."""
    return await _put(Entity.USERS, entry, live)


@router.put("/videos/{id:text}", status_code=204, responses=features.PUT_FEATURES, openapi_extra=features.VIDEO_BODY)
async def put_video(entry: At, live: Live) -> Response:
    """Replace what is stored of a video, which may be new: it is ranked by these features from the next request on."""
    return await _put(Entity.VIDEOS, entry, live)


@router.get("/users/{id:text}", response_model=UserFeatures, responses=features.GET_USER)
async def get_user(entry: At) -> Response:
    """What is stored of a user, beside the bundle."""
    return _found(await entry.run(lambda _: entry.store.read(entry.id, []).user))


@router.get("/videos/{id:text}", response_model=VideoFeatures, responses=features.GET_VIDEO)
async def get_video(entry: At) -> Response:
    """What is stored of a video, beside the bundle."""
    return _found(await entry.run(lambda _: entry.store.read(None, [entry.id]).videos.get(entry.id)))


@router.delete("/users/{id:text}", status_code=204, responses=features.DELETE_FEATURES)
async def delete_user(entry: At) -> Response:
    """Go back to what the bundle has, if anything is stored."""
    return await _delete(Entity.USERS, entry)


@router.delete("/videos/{id:text}", status_code=204, responses=features.DELETE_FEATURES)
async def delete_video(entry: At) -> Response:
    """Go back to what the bundle has, if anything is stored."""
    return await _delete(Entity.VIDEOS, entry)


async def _put(entity: Entity, entry: Entry, live: LiveBundle) -> Response:
    schema = live.ranker.bundle.schema
    if Media.of(entry.request).sent is not MediaType.JSON:
        raise UnsupportedBody(f"Expected Content-Type {MediaType.JSON}, found {MediaType.ARROW}.")

    def store(body: bytes) -> None:
        stored = read(FORMS[entity], body)
        check_stored(entity, stored, schema)
        entry.store.write(entity, entry.id, write_document(stored))

    await entry.run(store)
    return Response(status_code=204)


async def _delete(entity: Entity, entry: Entry) -> Response:
    await entry.run(lambda _: entry.store.write(entity, entry.id, None))
    return Response(status_code=204)


def _found(document: Document | None) -> Response:
    if document is None:
        raise NothingStored("Nothing is stored of this id; what the bundle has of it is not shown here.")
    return Response(orjson.dumps(document), media_type=MediaType.JSON)
