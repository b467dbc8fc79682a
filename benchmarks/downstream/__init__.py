"""What downstream_pairs.py is made of: its studies, the texts they need, and the page of their results."""
