"""Adapters for use: where those of a treatment lie, what they cost, and a folder of the chosen ones with a routing table."""
