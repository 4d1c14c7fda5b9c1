"""Corpora of other people: a UTF-8 file of tab-separated sentence pairs, one a line."""

import codecs
import gzip
import unicodedata
import zlib
from pathlib import Path


def read_pairs(path: Path | str) -> list[tuple[str, str]]:
    """Read pairs of a source and a target sentence; a file whose name ends in ``.gz`` is unpacked on the way.

    Each side comes back in Unicode's composed form (NFC), without blanks at its ends.

    Raises:
        ValueError: no file, no lines, broken UTF-8, or a line that is not source, one tab, target. The message
            names the file and the line.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ValueError(f"{path} {what}; give a UTF-8 file with one pair a line: source, a tab, target.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            pairs = [_pair(line, f"{path}, line {number}") for number, line in enumerate(file, 1)]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is no whole gzip file: {error}. Copy it again, or unpack it.") from None
    if not pairs:
        raise ValueError(f"{path} has no lines; it needs at least one pair: source, a tab, target.")
    return pairs


def _pair(line: bytes, where: str) -> tuple[str, str]:
    text = decode(line, where).rstrip("\r\n")
    sides = [unicodedata.normalize("NFC", side).strip() for side in text.split("\t")]
    short = repr(text if len(text) <= 60 else text[:60] + "…")
    wanted = "wanted are a source sentence, one tab and a target sentence."
    if len(sides) == 1:
        raise ValueError(f"{where}: {short} has no tab; {wanted} Put a tab between the two, or delete the line.")
    if len(sides) > 2:
        raise ValueError(f"{where}: {short} has {len(sides) - 1} tabs; {wanted} Keep two columns (cut -f 1,2).")
    if "" in sides:
        empty = ("source", "target")[sides.index("")]
        raise ValueError(f"{where}: {short} has an empty {empty}; {wanted} Fill it in, or delete the line.")
    return sides[0], sides[1]


def decode(line: bytes, where: str) -> str:
    """Read bytes as UTF-8, without a byte order mark; `where` is for the message of the ValueError."""
    try:
        return line.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{where}: byte 0x{error.object[error.start]:02x} at place {error.start + 1} is not UTF-8: {error.reason}. "
            "Save the text as UTF-8, for example with iconv -t utf-8."
        ) from None
