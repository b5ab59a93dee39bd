"""Power logs of a measured result: the figure they give, and whether the measurement followed its rules."""
