"""Quality on real impressions: WatchNext beside LightGBM and torch-rechub, on one split, in one run."""
