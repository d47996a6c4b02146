"""What touches the world: one adapter a file. Imports `burnish`, never the other way round."""
