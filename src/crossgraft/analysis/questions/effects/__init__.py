"""What a source does: by regime, on and off its task, by axis of the recipe, and to whom it does harm."""
