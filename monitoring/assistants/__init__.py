"""What assistants ask and do, by the Model Context Protocol: in a process of its own, which calls the API as any program does."""
