"""The almanac: a small real world in twelve languages, for studies without network, GPU or downloads.

Facts come from Babel (CLDR) and num2words; how they are said is written by hand in `wording`.
"""
