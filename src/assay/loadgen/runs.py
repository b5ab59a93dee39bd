"""A run on disk: one LoadGen execution, its record ``run.json``, and the folder that holds all runs."""
