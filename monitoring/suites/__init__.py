"""The integration tests: what each looks at, and how a run is carried out."""
