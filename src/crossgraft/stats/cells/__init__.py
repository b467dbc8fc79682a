"""One cell: its change, its interval, noise that is moderated or shrunk."""
