"""What the spec of an embedding study says: spaces, pairs, dictionaries, methods; and the files it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, get_args

from crossgraft.embeddings.direct.choosing import held_out, learnt_by
from crossgraft.embeddings.lexicon import Alike, Lexicon, alike_pairs, read_lexicon
from crossgraft.embeddings.readers import Peek, companions, peek
from crossgraft.embeddings.readers.language_model import embedding_table
from crossgraft.embeddings.spaces.space import Space, Step, read_model_space, read_space
from crossgraft.embeddings.spec.lexicons import Lexicons
from crossgraft.embeddings.spec.methods import Methods
from crossgraft.embeddings.spec.spaces import Pairs, Spaces
from crossgraft.embeddings.tasks import TASKS, EmbeddingTask, HasLexicon, LanguagePair
from crossgraft.embeddings.tasks.bli import lexicon_file
from crossgraft.embeddings.tasks.twins import Twins
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.recommendation.question import Question
from crossgraft.safety.opening import text_lines
from crossgraft.spec import Chosen
from crossgraft.study import Fingerprints, Input, Origin


@dataclass(frozen=True)
class EmbeddingSpec:
    """Every method, with every dictionary size, on every pair and task; the control is no mapping."""

    name: str
    spaces: Spaces
    pairs: Pairs
    lexicon: Lexicons
    methods: Methods
    tasks: dict[str, Annotated[EmbeddingTask, Chosen("kind", TASKS, default="bli")]]
    seeds: tuple[int, ...] = (1,)  # of stochastic methods
    limit: int = 0  # test items a target, 0 for all
    question: Question | None = None  # what `recommend` answers; in no id
    origin: Origin = field(default=Origin(), metadata={"toml": False})

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise SpecError(f"expected a number of items, 0 for all; got {self.limit}", ("limit",))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise SpecError(f"expected different seeds; got {list(self.seeds)}", ("seeds",))
        if not self.tasks:
            raise SpecError("expected at least one task, such as [tasks.bli]", ("tasks",))
        if self.methods.choose and not self.lexicon.validate:
            raise SpecError(
                'choosing takes a validation dictionary: add [lexicon] validate = "{pair}.dev.tsv"',
                ("methods", "choose"),
            )
        if self.lexicon.validate and not self.methods.choose:
            raise SpecError(
                "nothing is chosen on it: add [methods.choose], such as fipp = { components = [0, 1] }",
                ("lexicon", "validate"),
            )
        self._require_unlearnt_words()
        if not self.language_pairs():
            raise SpecError('expected all = true, or use = ["de:en", …]; got no pair of languages', ("pairs",))
        known = [str(pair) for pair in self.language_pairs()]
        for name, task in self.tasks.items():
            for text in getattr(task, "pairs", ()):
                if text not in known:
                    raise SpecError(
                        f"the study has no pair {text!r}{did_you_mean(text, known)}", ("tasks", name, "pairs")
                    )

    def _require_unlearnt_words(self) -> None:
        """Raise where a task of twins has no words of its own, or a method would learn from them all the same."""
        twins = [name for name, task in self.tasks.items() if isinstance(task, Twins)]
        if twins and not self.lexicon.held_out:
            raise SpecError(
                'it asks for words that no method learns from: set [lexicon] train = "identical" and held_out = 0.3',
                ("tasks", twins[0]),
            )
        if self.lexicon.held_out and not twins:
            raise SpecError(
                'no task asks for the words held out: add [tasks.twins] with kind = "twins"', ("lexicon", "held_out")
            )
        for name in self.methods.use if twins else ():
            if any(getattr(method, "mode", "") in get_args(Alike) for method in self.methods.candidates(name)):
                raise SpecError(
                    f"{name!r} starts from all words spelt alike, also from those held out; use another mode or method",
                    ("methods", "use"),
                )

    def language_pairs(self) -> tuple[LanguagePair, ...]:
        if self.pairs.all:
            chosen = list(combinations(self.spaces.languages, 2))
        else:
            chosen = [self._pair(text) for text in self.pairs.use]
        return tuple(LanguagePair(x, y, self.spaces.case, self.limit) for x, y in chosen)

    def _pair(self, text: str) -> tuple[str, str]:
        source, colon, target = text.partition(":")
        if not colon:
            raise SpecError(f"expected a pair of languages, such as 'de:fi'; got {text!r}", ("pairs", "use"))
        for language in (source, target):
            if language not in self.spaces.languages:
                raise SpecError(
                    f"the spaces have no language {language!r}; they have {', '.join(self.spaces.languages)}",
                    ("pairs", "use"),
                )
        return source, target

    def tasks_of(self, pair: LanguagePair) -> dict[str, EmbeddingTask]:
        """The tasks that a pair is evaluated on: all that do not name others as their ``pairs``."""
        return {
            name: task for name, task in self.tasks.items() if str(pair) in (getattr(task, "pairs", ()) or [str(pair)])
        }

    def inputs(self) -> Sequence[Input]:
        found: list[Input] = []
        for pair in self.language_pairs():
            found += self._spaces(pair)
            found += [self._lexicon(pattern, pair)[0] for pattern in self._patterns()]
            for task in self.tasks_of(pair).values():
                found += task.inputs(pair, self.origin)
        return found

    def _spaces(self, pair: LanguagePair) -> list[Input]:
        return [one for language in (pair.source, pair.target) for one in self._space(language)]

    def _space(self, language: str) -> list[Input]:
        """The file of vectors and those that belong to it; or the model and all that gives it words."""
        path = self.vectors_file(language)
        if self.spaces.model:
            model = Input("model", str(path), f"spaces.model, language {language!r}")
            return [model, *self._sources_of_words(language)]
        return [Input("file", str(one), f"spaces.files, language {language!r}") for one in (path, *companions(path))]

    def vectors_file(self, language: str) -> Path:
        return Path(self.origin.path((self.spaces.files or self.spaces.model).replace("{language}", language)))

    def peek(self, language: str, top: int = 0) -> Peek:
        """The width of a language's vectors and, of a file, how many there are."""
        path = self.vectors_file(language)
        return Peek(embedding_table(path).width, None) if self.spaces.model else peek(path, top)

    def _words_file(self, language: str) -> Path:
        return Path(self.origin.path(self.spaces.words.replace("{language}", language)))

    def _sources_of_words(self, language: str) -> list[Input]:
        if self.spaces.words:
            return [Input("file", str(self._words_file(language)), f"spaces.words, language {language!r}")]
        found: list[Input] = []
        for pair in self._pairs_with(language):
            found += [self._lexicon(pattern, pair)[0] for pattern in self._patterns()]
            for task in self._tasks_with_lexicon(pair):
                found += task.inputs(pair, self.origin)
        return list(dict.fromkeys(found))

    def _pairs_with(self, language: str) -> list[LanguagePair]:
        return [pair for pair in self.language_pairs() if language in (pair.source, pair.target)]

    def _tasks_with_lexicon(self, pair: LanguagePair) -> list[HasLexicon]:
        return [task for task in self.tasks_of(pair).values() if isinstance(task, HasLexicon)]

    def _words(self, language: str) -> list[str]:
        """The words that a model is asked for: those of its list, else of all dictionaries, in the order of the pairs."""
        if self.spaces.words:
            file = self._words_file(language)
            words = [line.strip() for _, line in text_lines(file) if line.strip()]
            if not words:
                raise DataError(f"{file}: expected one word per line; it is empty")
            return words
        lexicons = [
            (pair, lexicon)
            for pair in self._pairs_with(language)
            for lexicon in (
                *(self.file(pattern, pair) for pattern in self._patterns()),
                *(task.lexicon(pair, self.origin) for task in self._tasks_with_lexicon(pair)),
            )
        ]
        found = [words[0 if pair.source == language else 1] for pair, lexicon in lexicons for words in lexicon.pairs]
        if not found:
            raise DataError(
                f"spaces.model: no dictionary gives words of {language}; "
                'add words = "words.{language}.txt", files with one word per line'
            )
        return found

    def _patterns(self) -> Iterator[str]:
        """Of the dictionaries that are files."""
        if self.lexicon.alike is None:
            yield self.lexicon.train
        if self.lexicon.validate:
            yield self.lexicon.validate

    def _lexicon(self, pattern: str, pair: LanguagePair) -> tuple[Input, bool]:
        what = "training" if pattern == self.lexicon.train else "validation"
        file, flipped = lexicon_file(pattern, pair.source, pair.target, self.origin)
        return Input("file", str(file), f"{what} dictionary of {pair}, in either direction"), flipped

    def _content(self, pattern: str, pair: LanguagePair, fingerprints: Fingerprints) -> list[Any]:
        """What a dictionary depends on: its file and direction, or which words of the spaces are spelt alike."""
        if pattern == self.lexicon.alike:
            held_out = [self.lexicon.held_out] if self.lexicon.held_out else []
            return [pattern, [fingerprints[space] for space in self._spaces(pair)], self.spaces.top, *held_out]
        file, flipped = self._lexicon(pattern, pair)
        return [fingerprints[file], flipped]

    def space(self, language: str, steps: tuple[Step, ...] | None = None, kept: Path | None = None) -> Space:
        """The space of a language, normalised by the steps of a method, or else by those of the study.

        What was read once lies in the folder ``kept``, for all pairs and processes.
        """
        top, case = self.spaces.top, self.spaces.case
        path = self.vectors_file(language)
        if self.spaces.model:
            read = read_model_space(path, self._words(language), top=top, case=case, pieces=self.spaces.pieces)
        else:
            read = read_space(path, top=top, case=case, kept=kept)
        return read.normalised(self.spaces.normalise if steps is None else steps)

    def dictionary(self, pair: LanguagePair, spaces: tuple[Space, Space]) -> Lexicon:
        """The training dictionary, of which spelling alike takes the words of the spaces."""
        if self.lexicon.alike is None:
            return self.file(self.lexicon.train, pair)
        try:
            words = alike_pairs(*spaces, self.lexicon.alike)
            return self.lexicon.without_held_out(words) if self.lexicon.held_out else words
        except DataError as error:
            raise DataError(f"{pair}: {error}") from None

    def file(self, pattern: str, pair: LanguagePair) -> Lexicon:
        """The dictionary of a pair by a pattern of files, in the direction of the pair."""
        file, flipped = self._lexicon(pattern, pair)
        lexicon = read_lexicon(file.path, case=self.spaces.case)
        return lexicon.flipped() if flipped else lexicon

    def validation(self, pair: LanguagePair, spaces: tuple[Space, Space]) -> Lexicon:
        """The pairs of the validation dictionary that no method which chooses on it learns from."""
        train = self.dictionary(pair, spaces)
        methods = [candidate for name in self.methods.choose for candidate in self.methods.candidates(name)]
        learnt = [lexicon for method in methods for lexicon in learnt_by(method, train, *spaces)]
        return held_out(self.file(self.lexicon.validate, pair), learnt, *spaces)
