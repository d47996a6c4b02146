"""How fast the dataset takes windows in and answers, and how large it is."""
