"""Ways into frameworks that the application asks for by name."""
