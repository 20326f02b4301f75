"""Everything of SecondRead that has a screen."""
