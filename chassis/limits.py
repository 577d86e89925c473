"""What one session may bring, the same at the door, in the orchestrator and in the stages."""

from __future__ import annotations

MAX_MEDIA_BYTES = 500_000_000
"""Largest recording that a setting of the door can allow, and the default of every stage: 500 MB."""
MAX_ANSWER_COUNT = 20
MAX_NAME_CHARACTERS = 255
"""Of a candidate or a file: what file systems allow."""
MAX_QUESTION_CHARACTERS = 2_000
MAX_LINK_CHARACTERS = 4_096
MAX_GROUP_CHARACTERS = 100
"""Of the name of a key or of a group of keys."""
MAX_RUBRIC_ID_CHARACTERS = 64
MAX_PAGE_SESSION_COUNT = 200
DEFAULT_PAGE_SESSION_COUNT = 50
