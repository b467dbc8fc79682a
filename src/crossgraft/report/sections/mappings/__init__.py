"""Embedding studies: methods on tasks and pairs."""
