"""Arrays in, small results out: no labels, no files, no global random state."""
