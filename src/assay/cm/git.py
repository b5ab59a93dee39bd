"""Repositories from elsewhere: cloned and brought up to date by git, in a child process and never through a shell.

Addresses come from strangers' pages: only https, ssh and files of this machine are spoken, nothing that begins with a
dash is an address, no hook of the machine's own templates and no helper program of an address is run, and git never
asks. What was changed here is never thrown away.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import SILENT, Progress
from assay.base.settings import child_environment
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, RunFailedError, UsageError

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_SHORT = re.compile(rf"(?P<org>{_PART})@(?P<name>{_PART})")
_URL = re.compile(r"(?P<scheme>https|ssh|file)://(?P<rest>[^\s\0]+)")
_SCP = re.compile(rf"(?P<user>{_PART})@(?P<host>{_PART}):(?P<path>[^\s\0:]+)")
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$))[A-Za-z0-9_][A-Za-z0-9_./+@=-]{0,199}(?<![./])")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_EXPECTED = "https://..., ssh://..., git@host:path, file:///..., a folder, or org@repo on GitHub"
# What a surrounding git hands down would make us work on its repository.
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF")
_VERBS = frozenset({"clone", "fetch", "init", "add", "commit", "diff", "reset", "checkout", "clean", "ls-files"})
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_OWN = (
    *("-c", "user.name=assay"),
    *("-c", "user.email=assay@users.noreply.invalid"),
    *("-c", "commit.gpgSign=false"),
    *("-c", "core.autocrlf=false"),
    *("-c", "gc.auto=0"),
)
_SAFE = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "protocol.ext.allow=never"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a repository comes from.

    Attributes:
        url: what git is given.
        alias: ``org@repo`` of it, the name of its folder here.
        local: it lies on this machine, no network is needed.
    """

    url: str
    alias: str
    local: bool

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read an address, or ``org@repo`` for one on GitHub.

        Raises:
            UsageError: for anything that is not plainly an address.
        """
        text = text.strip()
        if not text or text.startswith("-") or "::" in text or not text.isprintable():
            raise UsageError(f"{text[:80]!r} is no address of a repository", expected=_EXPECTED)
        if short := _SHORT.fullmatch(text):
            return cls(f"https://github.com/{short['org']}/{short['name']}.git", text, local=False)
        if url := _URL.fullmatch(text):
            host, _, path = url["rest"].partition("/")
            if "@" in host and ":" in host.rpartition("@")[0]:
                raise UsageError("the address holds a password", expected="git's credential helper, or ssh")
            if host.startswith("-") or (url["scheme"] == "file") != (not host):
                raise UsageError(f"{text[:80]!r} is no address of a repository", expected=_EXPECTED)
            return cls(text, _alias(path), local=url["scheme"] == "file")
        if scp := _SCP.fullmatch(text):
            return cls(text, _alias(scp["path"]), local=False)
        path = Path(text).expanduser()
        if ("/" in text or text == ".") and ":" not in text.partition("/")[0]:
            return cls(str(path.absolute()), _alias(str(path.absolute())), local=True)
        raise UsageError(f"{text[:80]!r} is no address of a repository", expected=_EXPECTED)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did.

    Attributes:
        before: commit that was here, empty for a new clone.
        after: commit that is here now.
    """

    before: str
    after: str


def clone(
    source: Source,
    target: Path,
    *,
    branch: str | None = None,
    commit: str | None = None,
    progress: Progress = SILENT,
) -> Pulled:
    """Clone into a folder that is not there yet; it appears as a whole.

    Raises:
        NotFoundError: when there is nothing at the address, or no such branch or commit.
        MissingDependencyError: when git is not installed.
        MachineError: when the folder cannot be written.
    """
    _check(branch, commit)
    part = target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"
    step = progress.start(f"clone {source.url}")
    try:
        with machine_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            chosen = ["--branch", branch] if branch else []
            _git(
                None, "clone", "--quiet", "--template=", "--no-recurse-submodules", *chosen, "--", source.url, str(part)
            )
            if commit:
                _checkout(part, commit)
            after = _git(part, "rev-parse", "HEAD")
            part.rename(target)
    finally:
        step.finish()
        shutil.rmtree(part, ignore_errors=True)
    return Pulled("", after)


def update(
    folder: Path, *, branch: str | None = None, commit: str | None = None, progress: Progress = SILENT
) -> Pulled:
    """Bring a clone up to date, forward only.

    Raises:
        UsageError: for files or commits here that would be lost, or a clone that stands at a commit and is not told
            where to go.
        NotFoundError: when the origin or what is asked of it is not there.
        MissingDependencyError: when git is not installed.
    """
    _check(branch, commit)
    if _git(folder, "status", "--porcelain", "--untracked-files=no"):
        raise UsageError(
            "files were changed here, and a pull could lose them",
            where=folder,
            hint=f"git -C {folder} stash, or commit them",
        )
    before = _git(folder, "rev-parse", "HEAD")
    step = progress.start(f"fetch {folder.name}")
    try:
        _git(folder, "fetch", "--quiet", "--no-recurse-submodules", "--tags", "origin")
    finally:
        step.finish()
    if own := _git(folder, "rev-list", "--max-count=9", "HEAD", "--not", "--remotes=origin", "--tags"):
        raise UsageError(
            f"{len(own.splitlines())} commits were made here that the origin does not have",
            where=folder,
            hint=f"git -C {folder} push, or move them to a branch of their own",
        )
    if commit:
        _checkout(folder, commit)
    else:
        _forward(folder, branch)
    return Pulled(before, _git(folder, "rev-parse", "HEAD"))


@dataclass(frozen=True, slots=True)
class Author:
    """Who a commit is by.

    Attributes:
        name: as git writes it; letters that would end a line or begin an address are left out.
        email: an address, or what stands for one.
    """

    name: str
    email: str

    @classmethod
    def of(cls, account: str, name: str = "") -> Author:
        """The author that an account is: its address leads nowhere, for commits are read by strangers.

        Raises:
            UsageError: for an account that cannot be the name of one.
        """
        if _ACCOUNT.fullmatch(account) is None:
            raise UsageError(f"{account[:80]!r} cannot be an account", expected="letters, digits and _ . -")
        plain = "".join(each if each.isprintable() and each not in '<>"\\' else " " for each in name)
        return cls(" ".join(plain.split()).strip(" .,:;'")[:100] or account, f"{account}@users.noreply.invalid")


def init(folder: Path) -> None:
    """Make a folder a git repository; one that is one already stays as it is.

    Raises:
        MissingDependencyError: when git is not installed.
        MachineError: when the folder cannot be written.
    """
    with machine_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _git(folder, *_OWN, "init", "--quiet", "--template=", "--initial-branch=main", own=True)


def head(folder: Path) -> str:
    """The commit that is checked out; empty before the first.

    Raises:
        MissingDependencyError: when git is not installed.
    """
    try:
        return _git(folder, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", own=True)
    except RunFailedError:
        return ""


def commit(folder: Path, paths: Iterable[str], author: Author, message: str) -> str | None:
    """Commit everything below some paths, and nothing else; the new commit, None when nothing had changed.

    No hook is run and nothing is signed: whoever wrote the files is not asked for anything.

    Args:
        folder: root of the repository.
        paths: files and folders, relative to it.
        author: who it is by; assay commits.
        message: of the commit.

    Raises:
        MissingDependencyError: when git is not installed.
        RunFailedError: when git fails.
    """
    chosen = sorted(set(paths))
    if not chosen:
        return None
    _git(folder, *_OWN, "--literal-pathspecs", "add", "--all", "--force", "--", *chosen, own=True)
    changed = _git(folder, "--literal-pathspecs", "diff", "--cached", "--name-only", "--", *chosen, own=True)
    if not changed:
        return None
    who = f"{author.name} <{author.email}>"
    said = ("--quiet", "--no-verify", "--no-gpg-sign", "--cleanup=verbatim", f"--author={who}", f"--message={message}")
    _git(folder, *_OWN, "--literal-pathspecs", "commit", *said, "--only", "--", *chosen, own=True)
    return head(folder)


def restore(folder: Path, paths: Iterable[str]) -> None:
    """Make some paths what the last commit says, and take away what it does not know.

    Raises:
        MissingDependencyError: when git is not installed.
        RunFailedError: when git fails.
    """
    for path in sorted(set(paths)):
        if head(folder):
            _git(folder, "--literal-pathspecs", "reset", "--quiet", "HEAD", "--", path, own=True)
            if _git(folder, "--literal-pathspecs", "ls-files", "--", path, own=True):
                _git(folder, "--literal-pathspecs", "checkout", "--quiet", "HEAD", "--", path, own=True)
        _git(folder, "--literal-pathspecs", "clean", "--quiet", "--force", "-d", "-x", "--", path, own=True)


def is_clone(folder: Path) -> bool:
    """Whether a folder is the root of a git checkout."""
    return (folder / ".git").exists()


def origin(folder: Path) -> str:
    """The address that a clone came from; empty for none."""
    try:
        return _git(folder, "config", "--get", "remote.origin.url")
    except (NotFoundError, RunFailedError):
        return ""


def _forward(folder: Path, branch: str | None) -> None:
    current = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    if branch is None and current == "HEAD":
        raise UsageError(
            "the clone stands at a commit, not on a branch",
            where=folder,
            expected="--branch or --commit to go on from it",
        )
    name = branch or current
    if not _git(folder, "branch", "--remotes", "--list", f"origin/{name}"):
        raise NotFoundError(f"the origin has no branch {name!r}", where=folder)
    if name != current:
        known = bool(_git(folder, "branch", "--list", name))
        _git(folder, "checkout", "--quiet", *([name] if known else ["-b", name, "--track", f"origin/{name}"]), "--")
    try:
        _git(folder, "merge", "--quiet", "--ff-only", f"origin/{name}")
    except RunFailedError as error:
        raise UsageError(
            "what is here and what is there have gone apart",
            where=folder,
            found=error.found,
            hint=f"git -C {folder} rebase",
        ) from error


def _checkout(folder: Path, commit: str) -> None:
    try:
        _git(folder, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}")
    except RunFailedError as error:
        raise NotFoundError(f"there is no commit {commit}", where=folder) from error
    _git(folder, "checkout", "--quiet", "--detach", commit)


def _check(branch: str | None, commit: str | None) -> None:
    if branch is not None and commit is not None:
        raise UsageError("a branch and a commit cannot both be what is checked out", expected="one of them")
    if branch is not None and _BRANCH.fullmatch(branch) is None:
        raise UsageError(f"{branch[:80]!r} is no name of a branch")
    if commit is not None and _COMMIT.fullmatch(commit) is None:
        raise UsageError(f"{commit[:80]!r} is no commit", expected="7 to 64 lower-case hex digits")


def _git(folder: Path | None, *arguments: str, own: bool = False) -> str:
    """What git prints.

    Args:
        own: the repository is assay's own, and no setting of the machine or its user has a say in it.

    Raises:
        MissingDependencyError: when git is not installed.
        NotFoundError: when it cannot reach or find what it was asked for.
        RunFailedError: when it fails otherwise.
    """
    program = shutil.which("git")
    if program is None:
        raise MissingDependencyError("git is not installed", hint="install git with your system's packages")
    at = ["-C", str(folder)] if folder is not None else []
    environment = child_environment(
        *_UNSET,
        GIT_TERMINAL_PROMPT="0",
        GIT_ALLOW_PROTOCOL="https:ssh:file",
        LC_ALL="C",
        GIT_ASKPASS="",
        SSH_ASKPASS="",
        **({"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} if own else {}),
    )
    done = subprocess.run(
        [program, *at, *_SAFE, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace").strip()
    said = "".join(
        letter if letter.isprintable() or letter == "\n" else "?" for letter in done.stderr.decode("utf-8", "replace")
    )
    last = next(
        (line.strip() for line in said.splitlines() if line.startswith(("fatal:", "error:"))), said.strip()[-200:]
    )
    verb = next((each for each in arguments if each in _VERBS), arguments[0])
    kind = NotFoundError if verb in ("clone", "fetch") else RunFailedError
    raise kind(f"git {verb} failed", where=folder, found=last or f"exit status {done.returncode}")


def _alias(path: str) -> str:
    """``org@repo`` from the last two parts of a path; ``repo`` where there is one part."""
    parts = [part for part in path.removesuffix("/").removesuffix(".git").removesuffix("/").split("/") if part][-2:]
    cleaned = [re.sub(r"[^A-Za-z0-9_.+-]", "-", part).lstrip("-.") for part in parts]
    alias = "@".join(part for part in cleaned if part)
    if not alias or alias.endswith("."):
        raise InvalidInputError("no name of a repository can be made of the address", found=path[:80])
    return alias[:100]
