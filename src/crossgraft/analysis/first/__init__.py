"""The first screen: what is tested, a row per treatment, the words."""
