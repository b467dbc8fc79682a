"""From a matrix to findings: plain values that a report only has to print."""
