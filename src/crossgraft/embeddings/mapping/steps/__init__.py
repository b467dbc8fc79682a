"""What several mapping methods share: dictionaries, normalisation, refinement, training by gradients."""
