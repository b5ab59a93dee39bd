from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.speech_recognition.listing import find_utterances

from .conftest import entry, write_wav


def listed(folder: Path, max_seconds: float = 15.0) -> list[tuple[str, str]]:
    return [(utterance.name, utterance.text) for utterance in find_utterances(folder, max_seconds)]


def write_manifest(folder: Path, entries: Any) -> Path:
    (folder / "dev-clean-wav.json").write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return folder


def test_the_official_manifest_keeps_its_order_and_leaves_out_what_is_too_long(tmp_path: Path) -> None:
    entries = [entry("z.wav", 15.0, "fifteen"), entry("b.wav", 15.005, "longer"), entry("a.wav", 1.0, "One'S ")]
    # Sped up for training, before the original.
    entries[0]["files"].insert(0, {"fname": "fast.wav", "speed": 1.1})
    assert listed(write_manifest(tmp_path, entries)) == [("z.wav", "fifteen"), ("a.wav", "one's")]
    assert listed(tmp_path, 2.0) == [("a.wav", "one's")]


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ({"a": 1}, "JSON list"),
        ("[", "JSON"),
        ([], "no recording"),
        ([3], "without a transcript"),
        ([{"files": [], "original_duration": 1.0}], "without a transcript"),
        ([{**entry("a.wav", 1.0, "a"), "files": []}], "original speed"),
        ([{**entry("a.wav", 1.0, "a"), "files": [{"fname": "a.wav", "speed": 0.9}]}], "original speed"),
        ([{**entry("a.wav", 1.0, "a"), "original_duration": "long"}], "length of time"),
        ([{**entry("a.wav", 1.0, "a"), "original_duration": float("nan")}], "length of time"),
        ([entry("../a.wav", 1.0, "a")], "leaves the folder"),
        ([entry("/etc/a.wav", 1.0, "a")], "leaves the folder"),
        ([entry("a.wav", 1.0, "at 8")], "not spelled out"),
        ([entry("a.wav", 1.0, "")], "has a word"),
    ],
)
def test_a_malformed_manifest_is_refused(tmp_path: Path, entries: Any, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what) as caught:
        listed(write_manifest(tmp_path, entries))
    assert str(tmp_path) in str(caught.value)


def test_pocketsphinx_lists_are_read_in_the_order_of_the_ids(tmp_path: Path) -> None:
    (tmp_path / "fileids").write_text("book/two\n\nbook/one\n")
    (tmp_path / "transcription").write_text("<s> and Mr. One </s> (book/one)\n<s> two (or so) </s> (two)\n")
    write_wav(tmp_path / "two.wav")
    assert listed(tmp_path) == [("two.wav", "two or so"), ("book/one.wav", "and mr one")]
    (tmp_path / "fileids").unlink()
    assert [text for _, text in listed(tmp_path)] == ["and mr one", "two or so"]


def test_pocketsphinx_lists_have_to_fit(tmp_path: Path) -> None:
    (tmp_path / "transcription").write_text("hello (one)\nworld\n")
    with pytest.raises(InvalidInputError) as caught:
        listed(tmp_path)
    assert caught.value.where == f"{tmp_path / 'transcription'}:2"
    (tmp_path / "transcription").write_text("hello (one)\n")
    (tmp_path / "fileids").write_text("three\n")
    with pytest.raises(InvalidInputError, match="no transcript"):
        listed(tmp_path)
    (tmp_path / "fileids").write_text("../one\n")
    with pytest.raises(InvalidInputError, match="leaves the folder"):
        listed(tmp_path)


def test_your_own_list_names_files_and_texts(tmp_path: Path) -> None:
    (tmp_path / "transcripts.txt").write_text("b.wav It's 8!\nsub/a.WAV\n")
    assert listed(tmp_path) == [("b.wav", "it's 8"), ("sub/a.WAV", "")]
    (tmp_path / "transcripts.txt").write_text("b.wav hello\nb.flac hello\n")
    with pytest.raises(InvalidInputError) as caught:
        listed(tmp_path)
    assert caught.value.where == f"{tmp_path / 'transcripts.txt'}:2"


def test_a_folder_of_another_kind_is_refused_with_the_layouts(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        listed(tmp_path / "none")
    with pytest.raises(InvalidInputError) as caught:
        listed(tmp_path)
    assert caught.value.expected is not None
    assert "transcripts.txt" in caught.value.expected
    (tmp_path / "transcripts.txt").write_bytes(b"a.wav \xff\xfe\n")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        listed(tmp_path)
