"""From findings to files to read and to send: computes nothing."""
