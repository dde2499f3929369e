"""File formats: what is written, and how it is read without trust."""
