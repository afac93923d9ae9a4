"""rank(): one request, one bundle, one feature store, one ranking."""

from model.contract.combination import combine
from model.contract.request import Asked
from service.feature_store.embedded import BUNDLE_ALONE
from service.feature_store.interface import FeatureStore
from service.ranking.checks import check
from service.ranking.encode import encode
from service.ranking.fetch import fetch
from service.ranking.order import Ranking, order
from service.ranking.policy import choose_policy
from service.ranking.predict import by_task, predict
from service.ranking.ranker import Ranker
from service.ranking.trail import Seen, Stage, Trail


def rank(request: Asked, ranker: Ranker, store: FeatureStore = BUNDLE_ALONE, trail: Trail | None = None) -> Ranking:
    """Fetch what is stored, encode it with what is given, predict, combine by the policy, order. Raises InputError."""
    trail = trail or Trail()
    check(request, ranker.bundle.schema)
    policy = choose_policy(request.policy, ranker.bundle.manifest)
    fetched = trail.after(Stage.FETCH, fetch(request, ranker, store))
    encoded = trail.after(Stage.ENCODE, encode(request, fetched, ranker.bundle.encoder))
    predictions = trail.after(Stage.PREDICT, predict(fetched, encoded, ranker))
    scored = combine(by_task(predictions, ranker.bundle.tasks), policy.rules)
    ranking = order(request, policy, predictions, scored, fetched.warnings + encoded.warnings)
    trail.saw(Seen(ranker, policy, fetched, encoded, predictions, scored))
    return trail.after(Stage.ORDER, ranking)
