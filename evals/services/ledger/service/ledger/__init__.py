"""A double-entry ledger: accounts, transactions with entries, transfers, statements and reports."""
