"""Adapter studies: what fine-tuning on one task and language does to all others."""
