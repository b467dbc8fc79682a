"""Mixed models by REML with known noise."""
