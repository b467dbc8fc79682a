"""The HTML page: its template, style and scripts, the matrix drawn without a script, and the data that scripts read."""
