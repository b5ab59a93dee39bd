"""Accuracy logs cut to what a submission may hold, with the originals kept elsewhere."""
