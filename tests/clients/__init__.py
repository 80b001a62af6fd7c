"""The published clients of Pieces OS, each in an environment of its own, against `pieces-orm serve`.

`python -m tests.clients` runs them all; .ci/run calls it, pytest does not.
"""
