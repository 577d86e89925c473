"""What a player shows of a recording: which tracks, on which clock, without hidden parts, the right way up.

Every reader of recordings goes through here, so that words, turns, faces and captions agree on one time.
Needs PyAV and numpy, which the extras of the processes that read recordings have.
"""
