"""Challenges of all repositories, the user's first and those that come with assay last."""

from __future__ import annotations

from datetime import datetime

from assay.base.settings import Settings
from assay.community.challenge import Challenge, Challenges
from assay.results.audience import Audience


def load_challenges(settings: Settings, audience: Audience, now: datetime) -> Challenges:
    """Every challenge that an audience may see.

    Args:
        settings: say where repositories are.
        audience: who looks.
        now: the moment that their status is told for, with a zone.
    """
    raise NotImplementedError


def find_challenge(settings: Settings, name: str, audience: Audience, now: datetime) -> Challenge:
    """One challenge by alias or uid.

    Raises:
        NotFoundError: for none, and in the same words for one that the audience may not see.
    """
    raise NotImplementedError
