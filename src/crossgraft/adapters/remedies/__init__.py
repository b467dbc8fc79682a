"""Against harm, without another design: trained adapters scaled down or merged, and what else to add to a spec."""
