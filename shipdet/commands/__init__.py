"""One file a command of the command line: its options, one call of the library, what it prints."""
