"""How sure that is: checks, noise, controls, gaps, the method."""
