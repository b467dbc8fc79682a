"""What is asked of the matrix of an adapter study; a folder per question."""
