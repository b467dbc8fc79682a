"""An adapter study as its TOML file says it."""
