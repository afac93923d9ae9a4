"""Outcomes: what columns that hold labels are called, and what each of them is worth in a policy."""

from dataclasses import dataclass

from training.column_names import AGGREGATES, PREFIXES, bare_words, words

ENGAGEMENT, SATISFACTION = "engagement", "satisfaction"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`names` are bare words run together; `product` and `sum` are weights in a weighted product and a weighted sum."""

    task: str
    group: str
    names: frozenset[str]
    product: float
    sum: float


def _outcome(task: str, group: str, names: str, product: float, total: float) -> Outcome:
    return Outcome(task, group, frozenset(names.split()), product, total)


BINARY = (
    _outcome("click", ENGAGEMENT, "click clicked clicks clk open opened tap tapped", 1.0, 1.0),
    _outcome("long_view", ENGAGEMENT, "longview longwatch validview validplay effectiveview", 0.5, 1.0),
    _outcome("complete", ENGAGEMENT, "complete completed completion finish finished", 0.5, 1.0),
    _outcome("play", ENGAGEMENT, "play played watch watched view viewed", 0.5, 1.0),
    _outcome("skip", ENGAGEMENT, "skip skipped", -0.2, -1.0),
    _outcome("like", SATISFACTION, "like liked thumbsup upvote upvoted heart", 0.5, 5.0),
    _outcome("share", SATISFACTION, "share shared forward forwarded repost retweet", 0.3, 5.0),
    _outcome("follow", SATISFACTION, "follow followed subscribe subscribed", 0.3, 5.0),
    _outcome(
        *(
            "save",
            SATISFACTION,
            "save saved bookmark bookmarked favorite favorited favourite watchlater collect collected",
        ),
        *(0.3, 5.0),
    ),
    _outcome("purchase", SATISFACTION, "purchase purchased buy bought order ordered conversion converted", 0.5, 10.0),
    _outcome("cart", SATISFACTION, "cart addtocart", 0.3, 5.0),
    _outcome("comment", SATISFACTION, "comment commented reply replied", 0.2, 2.0),
    _outcome("profile_enter", SATISFACTION, "profileenter enterprofile profilevisit", 0.2, 2.0),
    _outcome("dislike", SATISFACTION, "dislike disliked thumbsdown downvote notinterested", -0.2, -5.0),
    _outcome("hate", SATISFACTION, "hate hated", -0.2, -5.0),
    _outcome("hide", SATISFACTION, "hide hidden", -0.2, -5.0),
    _outcome("report", SATISFACTION, "report reported", -0.2, -10.0),
    _outcome("label", ENGAGEMENT, "label target", 1.0, 1.0),
)
WATCH_TIME = Outcome("watch_time", ENGAGEMENT, frozenset(), 0.7, 0.01)
RATING = Outcome("rating", SATISFACTION, frozenset(), 1.0, 1.0)

WATCH_WORDS = (
    "watch",
    "watched",
    "watching",
    "play",
    "played",
    "playing",
    "view",
    "viewing",
    "dwell",
    "listen",
    "stay",
)
TIME_WORDS = frozenset(
    {"time", "duration", "dur", "seconds", "sec", "secs", "s", "ms", "millis", "minutes", "min", "length"}
)
UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), "ms"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
}
RATING_NAMES = frozenset(
    {
        *("rating", "ratings", "stars", "star", "score", "grade", "userrating", "starrating", "ratingvalue"),
        *("userscore", "satisfaction", "satisfactionscore", "surveyscore", "surveyrating", "surveyanswer"),
    }
)
MASK_NAMES = frozenset({"rated", "surveyed", "answered", "responded"})
MASK_WORDS = frozenset({"observed", "mask", "known", "given", "valid", "available"})
OPINIONS = frozenset({"pred", "predicted", "prediction", "pctr", "pcvr", "propensity", "logit"})
SIGNS = frozenset(
    {"click", "clicked", "watch", "watched", "play", "played", "dwell", "stay", "like", "liked", "completion"}
)


def binary_outcome(column: str) -> Outcome | None:
    spelled = "".join(bare_words(column))
    return next((one for one in BINARY if spelled in one.names), None)


def watch_rank(column: str) -> int | None:
    """Lower is the more usual name of a watch time; None for another thing."""
    parts = words(column)
    if AGGREGATES.difference({"min"}).intersection(parts):
        return None
    timed = bool(TIME_WORDS.intersection(parts))
    for rank, word in enumerate(WATCH_WORDS):
        if (timed and word in parts) or {f"{word}time", f"{word}duration"}.intersection(parts):
            return rank
    return None


def is_rating(column: str) -> bool:
    return "".join(bare_words(column)) in RATING_NAMES


def masked_words(column: str) -> tuple[str, ...] | None:
    """For the name of a mask, the words of the label that it is about: `has_rating`, `rating_observed`, `rated`."""
    parts = bare_words(column)
    if "".join(parts) in MASK_NAMES:
        return ("rating",)
    if MASK_WORDS.intersection(parts[-1:]):
        return parts[:-1]
    return parts if PREFIXES.intersection(words(column)) and is_rating(column) else None


def unit_of(column: str) -> str | None:
    return UNITS.get(words(column)[-1])


def is_opinion(column: str) -> bool:
    """An earlier ranker's output: not known when this one ranks."""
    parts = set(words(column))
    return bool(parts & OPINIONS or ("score" in parts and not parts & AGGREGATES))


def is_sign_of_outcome(column: str) -> bool:
    return bool(SIGNS.intersection(words(column)) and not AGGREGATES.intersection(words(column)))
