"""How functions report, by events or by code that was rewritten at import; and which functions there are."""
