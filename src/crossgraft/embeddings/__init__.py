"""Embedding studies: which mapping of two monolingual spaces serves which task, on which pair."""
