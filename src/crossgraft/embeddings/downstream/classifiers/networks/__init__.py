"""Networks over frozen word vectors, one a file, and how they are trained. They import torch, and are imported on use."""
