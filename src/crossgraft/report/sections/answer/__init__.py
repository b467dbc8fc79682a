"""What a reader wants first: the answer, the matrix, what to train."""
