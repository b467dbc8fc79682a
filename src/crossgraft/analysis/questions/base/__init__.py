"""The base of every change: its scores by themselves, and the noise that all changes share."""
