"""What survives a translation of spoken sentences, English to Indonesian and back."""
