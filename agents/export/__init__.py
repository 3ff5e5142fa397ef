"""The agent as a repository that validators clone and run: made of this version's own files, reviewed and packed."""
