"""Commands: each module is one, with its options and `main`."""
