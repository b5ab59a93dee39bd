"""The dataset of a question-answering model: windows of tokens, made once and kept on disk."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import locked, machine_errors, sha256_file, write_atomic
from assay.base.progress import Progress
from assay.errors import AssayError, InvalidInputError
from assay.models.text.features import Features, make_features
from assay.models.text.squad import Squad, find_squad, read_squad
from assay.models.text.vocabulary import Vocabulary, find_vocabulary, read_vocabulary
from assay.models.text.wordpiece import Tokeniser
from assay.tasks.language.recipe import Recipe
from assay.tasks.protocol import Sample, SkippedSample
from assay.tasks.reading import require_some

_VERSION = 1
_CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True)
class QuestionDataset:
    """Questions as samples; a question about a long paragraph is several, one for each window.

    A sample is its tokens and their segments, int64 ``(length,)`` each.

    Attributes:
        squad: the questions that belong to the samples.
        features: the windows.
    """

    squad: Squad
    features: Features
    vocabulary: Vocabulary

    @property
    def count(self) -> int:
        """Windows there are."""
        return self.features.count

    @property
    def skipped(self) -> tuple[SkippedSample, ...]:
        """Questions that could not be read."""
        return tuple(SkippedSample(item.place, item.reason) for item in self.squad.skipped)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of each sample."""
        return self.features.lengths

    def load(self, indices: Sequence[int]) -> list[Sample]:
        """Tokens and segments of some samples."""
        return [self._sample(index) for index in indices]

    def _sample(self, index: int) -> Sample:
        features = self.features
        tokens = features.tokens[features.offsets[index] : features.offsets[index + 1]].astype(np.int64)
        segments = np.ones(len(tokens), np.int64)
        segments[: features.texts[index]] = 0
        return tokens, segments


def open_questions(
    path: Path,
    recipe: Recipe,
    *,
    cache: Path,
    limit: int | None,
    skip_bad: bool,
    model: Path | None,
    progress: Progress,
) -> QuestionDataset:
    """Read a file of SQuAD's form and make its windows, or take those made before.

    Raises:
        NotFoundError: when there is no dataset or no vocabulary.
        InvalidInputError: for a file of another form, or a vocabulary that does not fit.
    """
    require_some(limit)
    file = find_squad(path)
    squad = read_squad(file, skip_bad=skip_bad).part(recipe.first_article)
    if not squad.questions:
        raise InvalidInputError(
            "no questions are left", where=file, hint=f"the recipe leaves out the first {recipe.first_article} articles"
        )
    vocabulary = read_vocabulary(find_vocabulary(recipe.vocabulary, model), recipe.vocabulary_size)
    features = _features(file, squad, vocabulary, recipe, cache, skip_bad, progress)
    if not features.count:
        raise InvalidInputError("no question has a text to look for an answer in", where=file)
    if limit is not None and limit < features.count:
        features = features.first(limit)
        last = int(features.questions[-1])
        squad = Squad(squad.paragraphs, squad.articles, squad.questions[: last + 1], squad.skipped)
    return QuestionDataset(squad, features, vocabulary)


def _features(
    file: Path, squad: Squad, vocabulary: Vocabulary, recipe: Recipe, cache: Path, skip_bad: bool, progress: Progress
) -> Features:
    form = (
        f"{_VERSION} {skip_bad} {recipe.first_article} {recipe.lower_case} {recipe.max_length} {recipe.max_query} "
        f"{recipe.stride} {vocabulary.identity} {sha256_file(file)}"
    )
    key = hashlib.sha256(form.encode()).hexdigest()[:32]
    home = cache / "language" / f"{key}.npz"
    with locked(cache / "language" / f"{key}.lock"):
        found = _kept(home, len(squad.questions), len(vocabulary.pieces))
        if found is None:
            found = make_features(squad, Tokeniser(vocabulary, lower_case=recipe.lower_case), recipe.windows, progress)
            _keep(home, found)
        return found


def _keep(home: Path, features: Features) -> None:
    arrays: dict[str, Any] = {item.name: getattr(features, item.name) for item in fields(Features)}
    arrays[_CHECKSUM] = np.frombuffer(_checksum(features).encode(), np.uint8)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    with machine_errors(home):
        home.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(home, stream.getvalue())


def _kept(home: Path, questions: int, pieces: int) -> Features | None:
    """What was made before; None when there is nothing or it is damaged."""
    try:
        with np.load(home, allow_pickle=False) as stored:
            found = Features(**{item.name: stored[item.name] for item in fields(Features)})
            checksum = stored[_CHECKSUM].tobytes().decode()
        whole = found.offsets[-1] == len(found.tokens) == len(found.words) == len(found.central)
        known = not found.count or (found.questions.max() < questions and found.tokens.max() < pieces)
        return found if whole and known and checksum == _checksum(found) else None
    except (AssayError, OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _checksum(features: Features) -> str:
    digest = hashlib.sha256()
    for item in fields(Features):
        array = getattr(features, item.name)
        digest.update(f"{item.name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
