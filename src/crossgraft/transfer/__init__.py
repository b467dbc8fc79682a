"""Records to a matrix of changes, every treatment paired with its control."""
