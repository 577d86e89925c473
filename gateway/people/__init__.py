"""People who sign in at an OpenID provider, in place of a key."""
