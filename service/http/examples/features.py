"""Examples of stored features."""

from typing import Any

from model.contract.mistakes import InputError, Mistake
from model.contract.stored_features import UserFeatures, VideoFeatures
from service.errors import NothingStored, NowhereToStore, StoreUnavailable
from service.http.examples.ranking import RANK_BY_FEATURES
from service.http.examples.refusals import ADMITTED, MALFORMED, OVERLOADED, UNSUPPORTED, WRONG_NAME
from service.http.examples.shapes import Answers, answer, body, either, problem

VIDEO_PATH = "/v1/features/videos/new"
USER_FEATURES = {"features": RANK_BY_FEATURES["user"]["features"], "history": RANK_BY_FEATURES["user"]["history"]}
VIDEO_FEATURES = {"features": RANK_BY_FEATURES["candidates"][1]["features"]}
_WRONG_FEATURE = Mistake("features.durations", WRONG_NAME.expected, WRONG_NAME.found, WRONG_NAME.nearest)
INVALID_FEATURES = problem(InputError, str(_WRONG_FEATURE), [_WRONG_FEATURE], VIDEO_PATH)
NOTHING_STORED = problem(NothingStored, "Nothing is stored of this id.", path=VIDEO_PATH)
NOWHERE_TO_STORE = problem(NowhereToStore, "Expected --features-path with a file to keep them in.", path=VIDEO_PATH)
STORE_UNAVAILABLE = problem(StoreUnavailable, "the feature store failed: TimeoutError", path=VIDEO_PATH)
_DONE: dict[str, Any] = {"description": "Done"}
_OF_STORE: Answers = {**ADMITTED, 422: INVALID_FEATURES, 503: either(OVERLOADED, STORE_UNAVAILABLE)}
DELETE_FEATURES: Answers = {204: _DONE, 409: NOWHERE_TO_STORE, **_OF_STORE}
PUT_FEATURES: Answers = {**DELETE_FEATURES, 400: MALFORMED, 415: UNSUPPORTED}
_READ: Answers = {404: NOTHING_STORED, **_OF_STORE}
GET_USER: Answers = {200: answer("What is stored of the user", USER_FEATURES), **_READ}
GET_VIDEO: Answers = {200: answer("What is stored of the video", VIDEO_FEATURES), **_READ}
USER_BODY = body(UserFeatures.__name__, USER_FEATURES)
VIDEO_BODY = body(VideoFeatures.__name__, VIDEO_FEATURES)
