"""A package, unlike other folders of tests: its fixtures live as long as its tests."""
