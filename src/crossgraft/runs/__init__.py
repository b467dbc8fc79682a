"""From a study to records: what is missing, who computes it, where it is kept."""
