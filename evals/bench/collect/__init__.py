"""How fast `burnish collect` takes windows, against the store alone."""
