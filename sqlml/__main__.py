"""`python -m sqlml` is the same as `sqlml`."""

from sqlml.cli import main

main()
