"""The package's rules about itself."""
