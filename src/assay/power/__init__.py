"""Power: SPEC PTDaemon's protocol, a simulation of it, the director around a run, and what the samples say.

The wire formats and the folder that a measurement leaves are those of mlcommons/power-dev, so that its client, its server
and its checker can be put in place of ours. What was not measured by an analyzer behind the real daemon says so.
"""
