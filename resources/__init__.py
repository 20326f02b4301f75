"""Files that SecondRead ships: models, recipes, schema, theme, presets."""
