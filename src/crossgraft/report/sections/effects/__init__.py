"""What transfers where: by regime, source, model and recipe."""
