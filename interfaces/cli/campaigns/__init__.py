"""Commands about campaigns and their contacts."""
