"""Reader `impressions`: a Parquet or CSV table with one row an impression, and optional user and video tables."""

from collections.abc import Collection
from typing import Literal

import polars as pl

from model.contract.schema import Keys
from training.readers.interface import ImpressionTable, Reader, check_unique, fingerprint_of, read_table, scan, text_ids


class ImpressionsReader(Reader):
    """`path`, `users` and `videos` each name a file, a folder or a glob; ids join the tables."""

    kind: Literal["impressions"] = "impressions"
    path: str
    users: str | None = None
    videos: str | None = None

    def read(self, keys: Keys, categories: Collection[str] = ()) -> ImpressionTable:
        ids = [keys.user, keys.video, *(one for one in (keys.query_video, keys.request) if one)]
        files, impressions = scan(self.path, [*ids, *categories])
        impressions = text_ids(self.path, impressions, impressions.collect_schema(), ids)
        tables: dict[str, pl.DataFrame | None] = {"users": None, "videos": None}
        for name, key in (("users", keys.user), ("videos", keys.video)):
            pattern = getattr(self, name)
            if pattern is not None:
                more, table = read_table(pattern, [key, *categories])
                check_unique(pattern, table, key)
                tables[name] = text_ids(pattern, table.lazy(), table.schema, [key]).collect()
                files = [*files, *more]
        return ImpressionTable(self.path, fingerprint_of(files), impressions, tables["users"], tables["videos"])
