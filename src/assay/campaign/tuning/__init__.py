"""The search for the best setting of a model on this machine: short real runs, proposed by Optuna, within constraints."""
