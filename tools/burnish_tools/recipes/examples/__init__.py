"""The examples of the recipes that are too long to stand inside their files; tests are generated from them."""
