"""The standalone agent: no database, no settings. Validators run it from the exported repository."""
