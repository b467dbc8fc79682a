"""Models that learn from labelled texts of the source language, one a file, over frozen word vectors."""
