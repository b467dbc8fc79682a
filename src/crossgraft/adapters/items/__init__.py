"""What a model reads: data files, sources, and how items become tokens."""
