"""Collections of documents: reading them, ranking them for topics, and writing what was found."""
