"""What TeX reads: tables, and the names in any script that tables and figures have."""
