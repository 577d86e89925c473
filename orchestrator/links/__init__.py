"""How a recording comes in from a link: where it may lead, how it is asked for, how it arrives."""
