"""User data, read once and checked: numpy alone."""
