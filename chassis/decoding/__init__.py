"""Recordings are hostile input: what they claim is counted, and a child process with limits decodes them."""
