"""How campaigns will probably go: learned from past calls, simulated, and scored."""
