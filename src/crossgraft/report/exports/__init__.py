"""Results in the formats of others: Every Eval Ever, the model pages of the Hugging Face Hub, Weights & Biases."""
