"""What training promises and the network that keeps it: shared by the offline and the online line."""

import os

# ONNX Runtime reports its use to its maker unless it is told not to before it starts. Ours reports to nobody.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
