"""The demo clip: two recorded answers, how they were made, and what is true in them."""
