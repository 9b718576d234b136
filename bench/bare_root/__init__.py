"""Run the steps of docs/exploitation.md as written, on a Debian that holds nothing: `python -m bench.bare_root`."""
