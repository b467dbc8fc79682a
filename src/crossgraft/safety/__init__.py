"""Files that are whole or absent, inputs within limits, texts that cannot act, checksums."""
