"""The reader of impression tables: files, folders, globs, and what is none."""

from pathlib import Path

import polars as pl
import pytest

from model.contract.mistakes import InputError
from model.contract.schema import Keys
from training.readers.impressions import ImpressionsReader

FRAME = pl.DataFrame({"user_id": [1, 2], "video_id": [9007199254740993, 7], "click": [0, 1]})


def test_a_file_a_folder_and_a_glob_read_alike(tmp_path: Path) -> None:
    for at in range(2):
        FRAME[at : at + 1].write_parquet(tmp_path / f"part-{at}.parquet")
    FRAME.write_csv(tmp_path / "all.csv")
    paths = [tmp_path / "part-*.parquet", tmp_path / "all.csv"]
    frames = [ImpressionsReader(path=str(path)).read(Keys()).impressions.collect() for path in paths]
    assert frames[0]["video_id"].to_list() == frames[1]["video_id"].to_list() == ["9007199254740993", "7"]
    (tmp_path / "all.csv").unlink()
    assert ImpressionsReader(path=str(tmp_path)).read(Keys()).impressions.collect().equals(frames[0])


def test_ids_of_csv_keep_their_leading_zeros_and_empty_ids_are_missing(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,video_id\n007,0x1\n,12345678901234567890123\n")
    (tmp_path / "users.csv").write_text("user_id,age\n007,3\n")
    table = ImpressionsReader(path=str(tmp_path / "log.csv"), users=str(tmp_path / "users.csv")).read(Keys())
    rows = table.impressions.collect()
    assert rows["user_id"].to_list() == ["007", None]
    assert rows["video_id"].to_list() == ["0x1", "12345678901234567890123"]
    assert table.users is not None and table.users["user_id"].to_list() == ["007"]


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    FRAME.write_parquet(path)
    first = ImpressionsReader(path=str(path)).read(Keys()).fingerprint
    assert ImpressionsReader(path=str(path)).read(Keys()).fingerprint == first
    FRAME.with_columns(click=1 - pl.col("click")).write_parquet(path)
    assert ImpressionsReader(path=str(path)).read(Keys()).fingerprint != first


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.parquet", None, "no such file"),
        ("broken.parquet", b"PAR1 this is not", "expected a readable table"),
        ("empty.csv", b"", "expected a readable table"),
        ("logs**.csv", None, "expected a Parquet or CSV file, a folder of them, or a glob"),
        ("logs.xlsx", b"x", "files that end in .parquet or .csv"),
    ],
)
def test_what_is_no_table_is_told_in_a_line(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        ImpressionsReader(path=str(tmp_path / name)).read(Keys())
    assert message in str(caught.value) and name in str(caught.value) and "\n" not in str(caught.value)


def test_user_tables_need_their_key_once_a_row(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "log.parquet")
    pl.DataFrame({"user_id": [1, 1]}).write_parquet(tmp_path / "users.parquet")
    reader = ImpressionsReader(path=str(tmp_path / "log.parquet"), users=str(tmp_path / "users.parquet"))
    with pytest.raises(InputError, match="column `user_id`: expected each id once, found `1` in more than one row"):
        reader.read(Keys())
    pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "users.parquet")
    with pytest.raises(InputError, match="expected a column `user_id`"):
        reader.read(Keys())


def test_of_csv_categories_keep_their_leading_zeros(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,video_id,genre,click\n1,2,007,0\n1,3,7,1\n")
    table = ImpressionsReader(path=str(tmp_path / "log.csv")).read(Keys(), ["genre", "elsewhere"])
    assert table.impressions.collect()["genre"].to_list() == ["007", "7"]
