"""`crossgraft check`: adapters made elsewhere, and what a model can do here."""
