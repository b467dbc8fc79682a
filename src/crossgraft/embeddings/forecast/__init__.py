"""What an embedding study will take, from shapes alone."""
