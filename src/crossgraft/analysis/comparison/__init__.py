"""Two studies, or two versions of one, side by side: which changes, base scores and means differ beyond noise."""
