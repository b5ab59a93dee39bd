"""A check report in the forms that people and programs read."""
