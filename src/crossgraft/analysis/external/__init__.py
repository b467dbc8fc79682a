"""Results that were measured elsewhere: tables of scores, tables of item outcomes."""
