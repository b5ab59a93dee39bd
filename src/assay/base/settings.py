"""The reader of the process environment (and :mod:`assay.base.environment`, for what has no time to import this).

One variable per setting (``ASSAY_HOME``, ``ASSAY_OFFLINE`` ...); proxies and certificate variables are left
to the HTTP library and to pip, which honour them on their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept and what is allowed.

    Attributes:
        home: folder of assets, runs and the local repository (``ASSAY_HOME``, else the user data folder).
        offline: never use the network (``ASSAY_OFFLINE``).
        cm_repos: the home of CM, whose repositories are read and whose registry is never written (``CM_REPOS``).
    """

    home: Path
    offline: bool = False
    cm_repos: Path | None = None

    @property
    def assets_dir(self) -> Path:
        """Downloaded and built assets, by content hash."""
        return self.home / "assets"

    @property
    def runs_dir(self) -> Path:
        """One folder per LoadGen execution."""
        return self.home / "runs"

    @property
    def cache_dir(self) -> Path:
        """Preprocessed samples and compiled models; safe to delete at any time."""
        return self.home / "cache"

    @property
    def systems_dir(self) -> Path:
        """Descriptions of systems in the official fields."""
        return self.home / "systems"

    @property
    def local_repo(self) -> Path:
        """The CM repository that new results go to."""
        return self.home / "repos" / "local"

    @property
    def repos_dir(self) -> Path:
        """Repositories that were pulled, one folder each."""
        return self.home / "repos"

    @property
    def registry(self) -> Path:
        """The list of repositories that the user registered, in the form of CM's own."""
        return self.home / "repos.json"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment (``os.environ`` unless given)."""
    env = os.environ if environ is None else environ
    home = env.get("ASSAY_HOME", "").strip()
    cm_repos = env.get("CM_REPOS", "").strip()
    return Settings(
        home=Path(home).expanduser().absolute() if home else _default_home(),
        offline=env.get("ASSAY_OFFLINE", "").strip().lower() in _TRUE,
        cm_repos=Path(cm_repos).expanduser().absolute() if cm_repos else None,
    )


def child_environment(*without: str, **changes: str) -> dict[str, str]:
    """A copy of the environment for a child process, without some variables and with some changed."""
    return {**{name: value for name, value in os.environ.items() if name not in without}, **changes}


def debug_wanted() -> bool:
    """Whether ``ASSAY_DEBUG`` asks for tracebacks."""
    return os.environ.get("ASSAY_DEBUG", "").strip().lower() in _TRUE


def access_token() -> str | None:
    """The token that ``ASSAY_TOKEN`` holds for servers that results are pushed to; None when it is not set."""
    return os.environ.get("ASSAY_TOKEN", "").strip() or None


def npm_configuration(environ: Mapping[str, str] | None = None) -> tuple[str | None, Path]:
    """The registry that the environment names for npm, if any, and the user's npm configuration file.

    npm reads its variables (``NPM_CONFIG_REGISTRY``, ``NPM_CONFIG_USERCONFIG``) in any case.
    """
    env = {name.casefold(): value.strip() for name, value in (os.environ if environ is None else environ).items()}
    own = env.get("npm_config_userconfig")
    return env.get("npm_config_registry") or None, Path(own).expanduser() if own else Path.home() / ".npmrc"


def _default_home() -> Path:
    # Imported here: platformdirs is not needed where ASSAY_HOME is set.
    from platformdirs import user_data_path

    return user_data_path("assay", appauthor=False)
