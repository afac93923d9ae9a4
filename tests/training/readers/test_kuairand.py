"""The KuaiRand reader on the real files, and on the published names."""

from pathlib import Path

import polars as pl
import pytest

from model.contract.mistakes import InputError
from model.contract.schema import Keys
from training.config import load_config
from training.dataset import Preparation, prepare
from training.readers.kuairand import EARLY_LOG, LATE_LOG, USERS, VIDEOS, KuaiRandReader


def test_the_real_log_is_read_whole_without_its_duplicates(kuairand: Path) -> None:
    table = KuaiRandReader(path=str(kuairand)).read(Keys())
    log = table.impressions.collect()
    assert log.height == 222_869
    assert log["play_time_s"].max() == 300.0
    assert log["duration_s"].min() is not None and log.filter(pl.col("duration_s") == 0).height == 0
    assert log["user_id"].dtype == log["video_id"].dtype == log["tab"].dtype == pl.String
    assert table.users is not None and table.users.height == 27_285
    assert table.videos is not None and table.videos.height == 7_583
    assert table.users["recent"].list.len().max() == 50
    shorter = KuaiRandReader(path=str(kuairand), history_length=5).read(Keys())
    assert shorter.fingerprint != table.fingerprint  # its histories and rates are others


def test_the_shipped_config_has_the_split_of_the_data_set(kuairand: Path, tmp_path: Path) -> None:
    config = load_config(Path("configs/kuairand.yaml"))
    kept = tuple(one for one in config.features if one.name in ("video_id", "tab"))
    schema = config.feature_schema.model_copy(update={"features": kept})
    table = KuaiRandReader(path=str(kuairand)).read(config.data.keys)
    dataset = prepare(Preparation(table, schema, config.tasks, config.data.split), tmp_path / "data", lambda *_: None)
    sizes = {name: one.num_rows for name, one in dataset.splits.items()}
    assert sizes == {"train": 150_055, "valid": 30_329, "test": 42_485}


def test_the_published_names_are_read_too(kuairand: Path, tmp_path: Path) -> None:
    """The published logs are CSV; the early one is where the history comes from."""
    log = pl.read_parquet(kuairand / "log.parquet")
    early, late = log.filter(pl.col("date") < 20220427), log.filter(pl.col("date") >= 20220427).head(2000)
    early.write_csv(tmp_path / EARLY_LOG)
    late.write_csv(tmp_path / LATE_LOG)
    for name in (USERS, VIDEOS):
        (tmp_path / name).symlink_to(kuairand / name)
    table = KuaiRandReader(path=str(tmp_path), history_length=5).read(Keys())
    assert table.impressions.collect().height == late.unique().height
    assert table.users is not None
    recent = table.users.filter(pl.col("user_id") == str(early["user_id"][0]))["recent"][0]
    first = early.unique(maintain_order=True).filter(pl.col("user_id") == early["user_id"][0])
    mine = first.sort("time_ms", maintain_order=True)
    assert recent.struct.field("video_id").to_list() == mine["video_id"].cast(pl.String).tail(5).to_list()


def test_a_folder_without_the_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the files of KuaiRand-Pure, found no"):
        KuaiRandReader(path=str(tmp_path)).read(Keys())
