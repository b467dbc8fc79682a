"""GGUF files as base models: which file a path means, what its header says, and its weights, dequantised once."""
