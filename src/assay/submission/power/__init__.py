"""Power logs of a measured result: the figure they give, and whether the measurement followed its rules.

:func:`assay.submission.power.metric.measure` computes the figure, :func:`assay.submission.power.wg.check_power` does
the power working group's checks.
"""
