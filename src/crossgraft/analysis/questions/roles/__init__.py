"""Donors and recipients: scores, the two-way model, asymmetry, patterns."""
