"""How good recommendations are on a matrix at hand, by parts of it that are held out."""
