"""What a study will cost and what it could show, before anything is downloaded or computed: estimates, and said to be so."""
