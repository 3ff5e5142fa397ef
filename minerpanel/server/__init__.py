"""The HTTP server: waitress, with limits on time, connections and bytes (docs/why.md gives the reasons for the choice)."""
