"""Cross-lingual information retrieval: do topics in one language find the relevant documents in another?"""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from crossgraft.core import Answers, Floats, Texts
from crossgraft.embeddings.downstream.documents.bags import Bags, bags
from crossgraft.embeddings.downstream.documents.collection import Asked, asked, collection_of, documents_of, topics_of
from crossgraft.embeddings.downstream.documents.lexical import BM25, Dirichlet, JelinekMercer, Lexical
from crossgraft.embeddings.downstream.documents.ranked import retrieval_answers
from crossgraft.embeddings.downstream.shape import TextShape
from crossgraft.embeddings.downstream.words import LookUp, read_stop_words, words_of
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.retrieval import nearest
from crossgraft.embeddings.spaces.space import Space, unit
from crossgraft.embeddings.tasks import TASKS, Evaluation, LanguagePair
from crossgraft.errors import SpecError
from crossgraft.metrics import all_scores
from crossgraft.safety.opening import is_file
from crossgraft.study import Input, Origin

_SHOWN = 300  # characters of a topic


@TASKS.register
@dataclass(frozen=True)
class CLIR:
    """Topics of the source language rank documents of the target language (Litschko et al., 2018).

    By ``vectors``, a text is the sum of its words' vectors in the shared space, documents weighted by idf = ln(N / df),
    and documents are ranked by the cosine. By ``query-likelihood`` or ``bm25``, each word of a topic is replaced by its
    nearest target word, and documents are ranked by the words they share; a word without a vector stays as it is.
    Documents that have nothing to be ranked by are not retrieved. Topics without relevant documents do not count.
    """

    topics: str  # a pattern of files with {language}, the source
    documents: str  # the same, the target
    qrels: str
    metric: Literal["AP", "RR", "nDCG@10", "precision@10", "recall@100"] = "AP"
    by: Literal["vectors", "query-likelihood", "bm25"] = "vectors"
    idf: Literal["documents", "both", "none"] = "documents"  # what it weights
    smoothing: Literal["dirichlet", "jelinek-mercer"] = "dirichlet"
    mu: float = 1000.0  # of Dirichlet
    weight: float = 0.5  # of the collection in Jelinek-Mercer
    k1: float = 1.2  # of BM25
    b: float = 0.75
    topic_fields: tuple[str, ...] = ("title", "desc")
    document_fields: tuple[str, ...] = ()  # all
    stop_words: str = ""  # a pattern with {language}, a word a line
    shortest: int = 2  # characters of a word
    depth: int = 0  # documents that count as retrieved, 0 for all
    pairs: tuple[str, ...] = ()  # of languages, of the study's; all if empty
    transductive: bool = False  # the vectors have learnt from its texts; it is left out of what BLI predicts
    kept: int = 100  # documents of each topic that a record keeps, for run files

    def __post_init__(self) -> None:
        for key in ("topics", "documents"):
            if "{language}" not in getattr(self, key):
                raise SpecError(f"expected a file name with {{language}}; got {getattr(self, key)!r}", (key,))
        if self.mu <= 0:
            raise SpecError(f"expected a pseudo-count above 0; got {self.mu}", ("mu",))
        if not 0 < self.weight < 1:
            raise SpecError(f"expected a weight between 0 and 1; got {self.weight}", ("weight",))
        if self.k1 < 0 or not 0 <= self.b <= 1:
            raise SpecError(f"expected k1 of at least 0 and b from 0 to 1; got {self.k1} and {self.b}", ("k1",))
        if min(self.depth, self.kept, self.shortest) < 0:
            raise SpecError("expected depth, kept and shortest of at least 0", ("depth",))

    def inputs(self, pair: LanguagePair, origin: Origin) -> tuple[Input, ...]:
        found = [
            self._input(self.topics, pair.source, pair, origin),
            self._input(self.documents, pair.target, pair, origin),
            self._input(self.qrels, pair.target, pair, origin),
        ]
        if self.stop_words:
            found += [self._input(self.stop_words, language, pair, origin) for language in (pair.source, pair.target)]
        if self._has_reference(pair, origin):
            found.append(self._input(self.topics, pair.target, pair, origin))
        return tuple(found)

    def _input(self, pattern: str, language: str, pair: LanguagePair, origin: Origin) -> Input:
        name = pattern.replace("{language}", language)
        name = name.replace("{source}", pair.source).replace("{target}", pair.target)
        return Input("file", origin.path(name), f"retrieval, {pair}, language {language!r}")

    def _path(self, pattern: str, language: str, pair: LanguagePair, origin: Origin) -> Path:
        return Path(self._input(pattern, language, pair, origin).path)

    def _has_reference(self, pair: LanguagePair, origin: Origin) -> bool:
        """Whether there are topics in the target language too, for retrieval in one language."""
        return is_file(self._path(self.topics, pair.target, pair, origin))

    def identity(self) -> Table[str, Any]:
        by: Table[str, Table[str, Any]] = {
            "vectors": {"idf": self.idf},
            "query-likelihood": {"smoothing": self.smoothing, "value": self._smoothing_value},
            "bm25": {"k1": self.k1, "b": self.b},
        }
        parts = (self.topic_fields, self.document_fields, self.shortest, bool(self.stop_words))
        return {"task": "clir", "by": self.by, **by[self.by], "texts": parts, "cut": [self.depth, self.kept]}

    @property
    def _smoothing_value(self) -> float:
        return self.mu if self.smoothing == "dirichlet" else self.weight

    def notes(self, pair: LanguagePair, origin: Origin) -> tuple[str, ...]:
        """What of the files does not count, one sentence each."""
        collection = self._asked(pair, origin)
        notes = []
        if collection.without:
            notes.append(f"{pair}: {collection.without} topics have no relevant document and are left out")
        for what, texts in (("topics", collection.topics), ("documents", collection.documents)):
            if empty := sum(not words_of(text) for text in texts.values()):
                notes.append(f"{pair}: {empty} of {len(texts)} {what} have no text")
        return tuple(notes)

    def text_shape(self, pair: LanguagePair, origin: Origin) -> TextShape:
        collection = self._asked(pair, origin)
        topics, documents = (list(texts.values()) for texts in (collection.topics, collection.documents))
        return TextShape(
            len(topics), len(documents), *(sum(text.count(" ") + 1 for text in one) for one in (topics, documents))
        )

    def _asked(self, pair: LanguagePair, origin: Origin) -> Asked:
        topics = topics_of(self._path(self.topics, pair.source, pair, origin), self.topic_fields)
        documents = documents_of(self._path(self.documents, pair.target, pair, origin), self.document_fields)
        return asked(topics, documents, self._path(self.qrels, pair.target, pair, origin), pair.limit)

    def evaluate(
        self,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        mapping: Mapping,
        origin: Origin,
        train: Lexicon | None = None,  # noqa: ARG002 - it gives no topic away
    ) -> Evaluation:
        collection = self._asked(pair, origin)
        topics = self._bags(collection.topics, pair.source, pair, spaces[0], origin)
        documents = collection_of(
            self._path(self.documents, pair.target, pair, origin),
            self.document_fields,
            self.shortest,
            self._stop_words(pair.target, pair, origin),
            spaces[1].words,
        )
        scores = self._by_vectors if self.by == "vectors" else self._by_words
        answers = self._answers(collection, scores(topics, documents, spaces, mapping))
        bare = {"topics": int((~topics.covered).sum()), "documents": int((~documents.covered).sum())}
        facts: dict[str, Any] = {"without_vectors": bare, "topics_without_relevant": collection.without}
        facts["documents"] = len(collection.documents)
        if mapping.source is None and mapping.target is None:
            facts["references"] = self._references(collection, topics, documents, pair, spaces, origin)
        texts = Texts("", tuple(collection.topics), {"topic": [text[:_SHOWN] for text in collection.topics.values()]})
        remarks = [f"{count} {what} of {pair} have no word with a vector" for what, count in bare.items() if count]
        return Evaluation(answers, texts, facts, tuple(remarks))

    def _answers(self, collection: Asked, scores: Floats) -> Answers:
        names = list(collection.documents)
        return retrieval_answers(
            list(collection.topics), scores, names, collection.judged, depth=self.depth, kept=self.kept
        )

    def _bags(self, texts: Table[str, str], language: str, pair: LanguagePair, space: Space, origin: Origin) -> Bags:
        stop = self._stop_words(language, pair, origin)
        without = read_stop_words(stop) if stop else frozenset()
        words = [words_of(text, shortest=self.shortest, without=without) for text in texts.values()]
        return bags(words, LookUp(space.index))

    def _stop_words(self, language: str, pair: LanguagePair, origin: Origin) -> Path | None:
        return self._path(self.stop_words, language, pair, origin) if self.stop_words else None

    def _by_vectors(self, topics: Bags, documents: Bags, spaces: tuple[Space, Space], mapping: Mapping) -> Floats:
        """Sums are mapped rather than words, which is the same for a linear map."""
        asked_for = topics.sums(spaces[0].vectors, topics.idf if self.idf == "both" else None)
        offered = documents.embedded(spaces[1].vectors, weighted=self.idf != "none")
        sought, found = unit(mapping.map_source(asked_for)), unit(mapping.map_target(offered))
        scores = np.asarray(sought @ found.T, dtype=np.float64)
        here = np.outer(sought.any(axis=1), found.any(axis=1))
        return np.where(here, scores, -np.inf)

    def _by_words(self, topics: Bags, documents: Bags, spaces: tuple[Space, Space], mapping: Mapping) -> Floats:
        known = np.flatnonzero(topics.rows >= 0)
        source = unit(mapping.map_source(spaces[0].vectors[topics.rows[known]]))
        found = nearest(source, unit(mapping.map_target(spaces[1].vectors)), 1).rows[:, 0]
        words = list(topics.terms)
        for place, row in zip(known, found, strict=True):
            words[place] = spaces[1].words[row]
        return self._lexical().score(_in_terms_of(documents, topics.counts, words), documents)

    def _lexical(self) -> Lexical:
        if self.by == "bm25":
            return BM25(self.k1, self.b)
        return Dirichlet(self.mu) if self.smoothing == "dirichlet" else JelinekMercer(self.weight)

    def _references(
        self,
        collection: Asked,
        topics: Bags,
        documents: Bags,
        pair: LanguagePair,
        spaces: tuple[Space, Space],
        origin: Origin,
    ) -> dict[str, dict[str, float]]:
        """What needs no mapping: the words of the topics as they are; BM25 with topics in the language of the documents."""
        likelihood = Dirichlet(self.mu).score(_in_terms_of(documents, topics.counts, topics.terms), documents)
        found = {"query likelihood, untranslated": likelihood}
        if self._has_reference(pair, origin):
            inside = topics_of(self._path(self.topics, pair.target, pair, origin), self.topic_fields)
            same = {topic: inside.get(topic, "") for topic in collection.topics}
            own = self._bags(same, pair.target, pair, spaces[1], origin)
            counts = _in_terms_of(documents, own.counts, own.terms)
            found["BM25, monolingual"] = BM25(self.k1, self.b).score(counts, documents)
        return {name: _measured(self._answers(collection, scores)) for name, scores in found.items()}


def _measured(answers: Answers) -> dict[str, float]:
    return {score.metric: score.value for score in all_scores(answers)}


def _in_terms_of(documents: Bags, counts: csr_array, words: Sequence[str]) -> csr_array:
    """Counts of words as counts of the terms of the documents; words that are in none are left out."""
    here = [place for place, word in enumerate(words) if word in documents.index]
    columns = [documents.index[words[place]] for place in here]
    shape = len(words), len(documents.terms)
    return counts @ csr_array((np.ones(len(here)), (here, columns)), shape=shape)
