"""Base models: what a spec says of them, where they are loaded from, and a base that is loaded."""
