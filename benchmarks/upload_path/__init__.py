"""The modules that an upload passes before the first stage works."""
