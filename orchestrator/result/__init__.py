"""The result document: what the stages left, in one JSON document."""
