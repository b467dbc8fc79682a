"""Finding translations: every way of retrieval is cosine minus a penalty of the target word.

Nearest neighbours have no penalty; CSLS (Conneau et al., 2018) takes half the target's mean similarity to its nearest
queries, inverted softmax (Smith et al., 2017) the logarithm of its partition function over β. Products are float32, in
tiles that stay in the cache; what they leave open is decided in float64. Nothing of the size queries × targets is kept.
"""

from crossgraft.embeddings.retrieval.best import Neighbours
from crossgraft.embeddings.retrieval.csls import csls_penalty
from crossgraft.embeddings.retrieval.csls_bounded import csls_nearest
from crossgraft.embeddings.retrieval.hubness import Hubness, hubness
from crossgraft.embeddings.retrieval.neighbours import both_ways, nearest, top_means
from crossgraft.embeddings.retrieval.penalty import Retrieval, Search, penalty
from crossgraft.embeddings.retrieval.ranks import Ranking, ranking
from crossgraft.embeddings.retrieval.softmax import softmax_penalty

__all__ = [
    "Hubness",
    "Neighbours",
    "Ranking",
    "Retrieval",
    "Search",
    "both_ways",
    "csls_nearest",
    "csls_penalty",
    "hubness",
    "nearest",
    "penalty",
    "ranking",
    "softmax_penalty",
    "top_means",
]
