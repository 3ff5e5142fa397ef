"""Access for assistants by the Model Context Protocol, in a process of its own that calls the API like any program."""
