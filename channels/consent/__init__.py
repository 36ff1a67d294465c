"""How a network's user lets us act in their name, and how that permission stays alive."""
