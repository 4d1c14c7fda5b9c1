"""Files of tab-separated pairs: good ones are read, bad ones are named with their line and what to do."""

import gzip
import re

import pytest

from tfmlib.pairs import read_pairs


def test_each_line_is_a_pair(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("a dog\tun chien\nthe cat \t le chat", encoding="utf-8")
    assert read_pairs(path) == [("a dog", "un chien"), ("the cat", "le chat")]
    assert read_pairs(str(path)) == read_pairs(path)


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_bytes("\ufeffa\tb\r\nc\td\r\n".encode())
    assert read_pairs(path) == [("a", "b"), ("c", "d")]


def test_two_ways_to_write_a_letter_become_one(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("e\u0301te\u0301\tsummer\n", encoding="utf-8")
    assert read_pairs(path) == [("\u00e9t\u00e9", "summer")]


def test_a_line_ends_only_where_a_line_ends(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("a\u2028b\u0085c\tx\n", encoding="utf-8")
    assert len(read_pairs(path)) == 1


def test_a_gzip_file_is_unpacked(tmp_path):
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(gzip.compress("un été\ta summer\n".encode()))
    assert read_pairs(path) == [("un été", "a summer")]


@pytest.mark.parametrize(
    ("content", "line", "came", "to_do"),
    [
        (b"a\tb\nno tab here\n", 2, "'no tab here' has no tab", "Put a tab"),
        (b"a\tb\n\nc\td\n", 2, "'' has no tab", "delete the line"),
        (b"a\tb\tc\n", 1, "has 2 tabs", "two columns"),
        (b"a\tb\nc\td\n \td\n", 3, "has an empty source", "Fill it in"),
        (b"c\t\r\n", 1, "has an empty target", "Fill it in"),
        (b"a\tb\nc\t\xe9t\xe9\n", 2, "byte 0xe9 at place 3 is not UTF-8", "Save the text as UTF-8"),
        (b"\xef\xbb\xbfa\t\xff\n", 1, "byte 0xff at place 3", "Save the text as UTF-8"),
        ("a\tb\n".encode("utf-16"), 1, "byte 0xff at place 1", "Save the text as UTF-8"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path, content, line, came, to_do):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(came)) as caught:
        read_pairs(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line {line}: ")
    assert to_do in message


def test_a_long_bad_line_is_cut_in_the_message(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("word " * 10_000)
    with pytest.raises(ValueError, match="word …' has no tab") as caught:
        read_pairs(path)
    assert len(str(caught.value)) < 400


def test_a_file_without_lines_a_folder_and_no_file_are_told_apart(tmp_path):
    (tmp_path / "empty.tsv").write_bytes(b"")
    (tmp_path / "empty.tsv.gz").write_bytes(gzip.compress(b""))
    says_of = {"empty.tsv": "has no lines", "empty.tsv.gz": "has no lines", "": "is a folder", "x": "does not exist"}
    for name, says in says_of.items():
        with pytest.raises(ValueError, match=says) as caught:
            read_pairs(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_a_damaged_gzip_file_is_named(tmp_path):
    path = tmp_path / "pairs.tsv.gz"
    whole = gzip.compress(b"a\tb\n" * 1000)
    for content in (whole[:-9], b"a\tb\n", whole[:20] + b"\xff" * 10 + whole[30:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no whole gzip file") as caught:
            read_pairs(path)
        assert str(path) in str(caught.value)
