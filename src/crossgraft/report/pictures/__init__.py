"""Charts as SVG: a section gives values, one function per kind draws them, in the colours of the page."""
