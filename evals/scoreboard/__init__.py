"""How many of the planted problems Burnish finds in the example services, and what it reports besides."""
