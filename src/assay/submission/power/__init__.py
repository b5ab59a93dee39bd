"""Whether a power measurement followed its rules: the power working group's checks of what it left behind.

:func:`assay.submission.power.wg.check_power_wg` does them all.
"""
