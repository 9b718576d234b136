"""Run the steps of docs/exploitation.md as written, on a bare Debian: `python -m bench.bare_root`."""
