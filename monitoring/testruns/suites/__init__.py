"""The integration tests: what each checks, and how a run is carried out."""
