"""An embedding study as its TOML file says it."""
