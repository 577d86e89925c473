"""`interview verify`: what a result document says, computed again from the document and from what it names.

Nothing but the digests' forms is shared with the code that makes documents, which works on messages that the
command line does not know. So a fault of that code is found here too.
"""
