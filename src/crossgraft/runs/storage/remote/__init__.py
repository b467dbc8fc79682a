"""A copy of a store behind a URL, such as s3://bucket/prefix: what is missing on one side comes from the other."""
