"""What the application asks of databases and other services: statements without their values, and who sent them."""
