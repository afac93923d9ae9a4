"""Examples of figures and probes."""

from service.http.examples.shapes import NEW_VERSION, VERSION, answer

METRICS = {
    "description": "Prometheus' text format",
    "content": {
        "text/plain": {
            "schema": {"type": "string"},
            "example": 'watchnext_requests_total{route="/v1/rank",status="200"} 1.0\n',
        }
    },
}
HEALTH = answer(
    "The live version's health",
    {
        "version": VERSION,
        "name": "kuairand",
        "since": "2026-11-21T03:31:00Z",
        "workers": {"total": 2, "serving": 2, "refusals": []},
        "ranked": 12_345,
        "candidates": 480.5,
        "latency": {"requests": 9_345, "p50_ms": 5.9, "p99_ms": 9.1},
        "warnings": {"unknown_user": 0.02, "unknown_candidate": 1.5, "unknown_category device": 0.001},
        "drift": {
            "predictions": {"click": {"psi": 0.04, "reading": "stable"}},
            "scores": {"balanced": {"psi": 0.12, "reading": "moderate"}},
            "features": {"device": {"psi": 0.31, "reading": "large"}},
        },
        "experts": {"gates": [], "experts": [], "alarms": []},
    },
)
ALIVE = answer("Alive", {"status": "alive"})
READY = answer(
    "Ready to rank",
    {
        "status": "ready",
        "version": VERSION,
        "refused": None,
        "channels": {
            "live": {"version": VERSION, "percent": None, "served": VERSION, "refused": None},
            "canary": {"version": NEW_VERSION, "percent": 5.0, "served": NEW_VERSION, "refused": None},
        },
    },
)
