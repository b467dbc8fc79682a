"""What the downstream tasks share: words of texts, bags of words, collections and labelled texts, and their models."""
