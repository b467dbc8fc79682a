"""Finding translations: every way of retrieval is cosine minus a penalty of the target word.

Nearest neighbours have no penalty; CSLS (Conneau et al., 2018) takes half the target's mean similarity to its nearest
queries, inverted softmax (Smith et al., 2017) the logarithm of its partition function over β. All products are
float32, in blocks of queries; nothing of the size queries × targets is kept.
"""

from crossgraft.embeddings.retrieval.neighbours import Neighbours, both_ways, nearest, top_means
from crossgraft.embeddings.retrieval.ranks import gold_ranks

__all__ = ["Neighbours", "both_ways", "gold_ranks", "nearest", "top_means"]
