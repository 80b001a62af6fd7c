"""Threads and queues; nothing here knows Pieces."""
