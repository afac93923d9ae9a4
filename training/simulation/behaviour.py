"""What users do with what they are shown, and the truth behind it.

With the latents of `training.simulation.world` (a, b: the user's engagement and satisfaction taste; z: the video):

    examined      position ** -(position_bias * exponent of the device)
    click         examined and Bernoulli(sigmoid(2.4 a.z + related to `watching` + appeal + language + length x device))
    watch share   min(1, s * sqrt(u / (1 - u))), u uniform: log-logistic, for which E = s arctan(1 / s)
    like          click and Bernoulli(watch share * sigmoid(2 b.z + quality - clickbait))
    rating        ordered logit of the same satisfaction; given more often by those who care and who stayed
    relevance     click * (E[watch share] + 3 P(like | click) + (E[rating] - 1) / 4)       the utility, >= 0
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from training.simulation.world import Floats, Ints, World

SURFACES = np.array(["watch_next", "home", "explore"])
RATING_NOISE = 0.5
RATING_STEPS = (1.5, 2.5, 3.5, 4.5)
OPINION = 3.4
EVENING_WATCH = np.float32(0.2)
# In the order of DEVICES: ios, android, tv, web.
EXAMINATION_EXPONENT = np.array([0.65, 0.7, 1.0, 0.4], np.float32)
LONG_VIDEO_CLICK = np.array([-0.25, -0.3, 0.4, 0.0], np.float32)
DEVICE_WATCH = np.array([0.0, -0.1, 0.4, -0.1], np.float32)
# In the order of SURFACES: what is being watched matters most beside the player.
RELATED_CLICK = np.array([1.0, 0.4, 0.2], np.float32)


@dataclass(frozen=True, slots=True)
class Requests:
    time_ms: Ints
    hour: Ints
    user: Ints
    device: Ints
    surface: Ints
    watching: Ints


@dataclass(frozen=True, slots=True)
class Truth:
    """Per request and candidate; all but `examined` and `click` hold given a click."""

    examined: Floats
    click: Floats
    share_scale: Floats
    share: Floats
    duration_s: Floats
    like_if_whole: Floats
    opinion: Floats
    rating: Floats


def truth_of(world: World, requests: Requests, slate: Ints) -> Truth:
    users, videos = world.users, world.videos
    user, device, surface = requests.user, requests.device[:, None], requests.surface[:, None]
    latent, length, clickbait = videos.latent[slate], videos.log_duration[slate], videos.clickbait[slate]
    taste = np.einsum("rd,rcd->rc", users.engagement_taste[user], latent)
    related = np.einsum("rd,rcd->rc", videos.latent[requests.watching], latent)
    same_language = users.language[user][:, None] == videos.language[slate]
    click_logit = 2.4 * taste + RELATED_CLICK[surface] * related + videos.click_appeal[slate]
    click_logit += LONG_VIDEO_CLICK[device] * length + 0.8 * same_language - 1.0
    log_scale = 1.2 * taste - 0.3 * clickbait - 0.3 * length + DEVICE_WATCH[device] - 1.0
    share_scale = np.exp(log_scale + EVENING_WATCH * (requests.hour >= 18)[:, None])
    liking = np.einsum("rd,rcd->rc", users.satisfaction_taste[user], latent)
    satisfaction = 2.0 * liking + 0.6 * videos.quality[slate] - 0.4 * clickbait
    opinion = OPINION + 0.8 * satisfaction
    exponent = world.config.position_bias * EXAMINATION_EXPONENT[:, None]
    return Truth(
        examined=(np.arange(1, slate.shape[1] + 1, dtype=np.float32) ** -exponent)[requests.device],
        click=_sigmoid(click_logit),
        share_scale=share_scale,
        share=share_scale * np.arctan(1 / share_scale),
        duration_s=videos.duration_s[slate],
        like_if_whole=_sigmoid(satisfaction - 2.8),
        opinion=opinion,
        rating=sum((_sigmoid((opinion - step) / RATING_NOISE) for step in RATING_STEPS), np.ones_like(opinion)),
    )


def act(rng: np.random.Generator, truth: Truth) -> pl.DataFrame:
    """What the users did, as the log records it. All follows from a click; ratings come from who cares and stayed."""
    chance = rng.random((5, *truth.click.shape), dtype=np.float32)
    odds = np.maximum(chance[1:3], 1e-6) / (1 - chance[1:3])
    click = chance[0] < truth.examined * truth.click
    share = np.minimum(1, truth.share_scale * np.sqrt(odds[0]))
    opinion = np.round(truth.opinion + RATING_NOISE * np.log(odds[1]))
    rated = click & (chance[4] < _sigmoid(0.5 * np.abs(truth.opinion - OPINION) + share - 2.8))
    columns = {
        "click": click.astype(np.int8),
        "watch_time_s": (click * share * truth.duration_s).astype(np.float32),
        "like": (click & (chance[3] < truth.like_if_whole * share)).astype(np.int8),
        "rating": np.where(rated, np.clip(opinion, 1, 5), np.nan).astype(np.float32),
        "rated": rated,
    }
    table = pl.DataFrame({name: values.ravel() for name, values in columns.items()})
    return table.with_columns(pl.col("rating").fill_nan(None))


def _sigmoid(logit: Floats) -> Floats:
    probability: Floats = np.reciprocal(1 + np.exp(-logit))
    return probability
