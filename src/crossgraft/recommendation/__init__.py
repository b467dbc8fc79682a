"""What to train: a question about targets to improve and targets to protect, answered from draws of every cell."""
