"""Training one adapter: the optimiser steps of the usual trainer, without its padding and its unneeded logits."""
