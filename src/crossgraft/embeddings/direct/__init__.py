"""Mapping, scoring and translating without a study."""
