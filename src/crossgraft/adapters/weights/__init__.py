"""Adapters' weights: files, PEFT, what loading them changes."""
