"""One step from request to answer."""
