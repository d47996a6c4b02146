"""The demo: a real service under load, improved three times by the loop. Run by scripts/demo."""
