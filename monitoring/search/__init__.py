"""Text search: `indexes` says what is indexed and makes it, `filling` keeps SQLite's indexes up to date, `finding` asks them."""
