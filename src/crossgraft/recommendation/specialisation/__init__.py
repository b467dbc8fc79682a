"""Which adapters to keep, and which of them serves each target."""
