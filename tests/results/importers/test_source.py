from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.results.importers.source import Source, _web, source_of

COMMIT, OTHER = "0123456789abcdef0123456789abcdef01234567", "f" * 40
V30 = "https://github.com/mlcommons/inference_results_v3.0"


def clone(root: Path, *, url: str | None = None, head: str | None = None, **files: str) -> Path:
    """A folder with a ``.git`` as a clone has it."""
    git = root / ".git"
    git.mkdir(parents=True)
    if url is not None:
        (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +refs\n')
    if head is not None:
        (git / "HEAD").write_text(head)
    for name, content in files.items():
        path = git / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/mlcommons/inference_results_v3.0.git", V30),
        ("https://github.com/mlcommons/inference_results_v3.0", V30),
        ("https://github.com/mlcommons/inference_results_v3.0/", V30),
        ("http://example.org:8080/a/b.git", "http://example.org:8080/a/b"),
        ("git@github.com:mlcommons/inference_results_v3.0.git", V30),
        ("ssh://git@github.com/mlcommons/inference_results_v3.0.git", V30),
        ("https://user:ghp_secret@github.com/mlcommons/inference_results_v3.0", V30),
        ("https://ghp_secret@github.com/mlcommons/inference_results_v3.0.git", V30),
        ("https://github.com/a/b?token=ghp_secret#ghp_secret", "https://github.com/a/b"),
        ("git@ghp_secret@github.com:a/b", None),
        ("https://github.com/ghp_secret@x/b", None),
        ("git@user:ghp_secret@github.com:a/b", None),
        ("/srv/git/results.git", None),
        ("../results", None),
        ("file:///srv/results", None),
        ("ftp://example.org/x", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://host:port/x", None),
        ("https://host:99999/x", None),
        ("https://[::1/x", None),
        ("https://a b/x", None),
        ("https://host/<script>", None),
        ("https://host/'x", None),
        ("", None),
    ],
)
def test_origins(tmp_path: Path, url: str, address: str | None) -> None:
    found = source_of(clone(tmp_path / "tree", url=url))
    assert found.repository == address
    assert "secret" not in repr(found)


@given(st.text(max_size=30), st.from_regex(r"[A-Za-z0-9]{12}", fullmatch=True))
def test_a_password_is_never_kept(rest: str, password: str) -> None:
    for given_ in (
        f"https://user:{password}@host/{rest}",
        f"https://{password}@host/a",
        f"ssh://u:{password}@h/{rest}",
    ):
        assert password not in (_web(given_) or "").removesuffix(rest)


def test_what_comes_out_is_an_address_again() -> None:
    assert _web(_web(" git@github.com:a/b.git ") or "") == "https://github.com/a/b"


# ---- commits


def test_a_branch_a_detached_head_and_packed_refs(tmp_path: Path) -> None:
    def commit(name: str, head: str, **files: str) -> str | None:
        return source_of(clone(tmp_path / name, head=head, **files)).commit

    assert commit("branch", "ref: refs/heads/main\n", refs__heads__main=f"{COMMIT}\n") == COMMIT
    assert commit("detached", f"{COMMIT}\n") == COMMIT
    packed = f"# pack-refs with: peeled\n{OTHER} refs/heads/main2\n{COMMIT} refs/heads/main\n^{OTHER}\n"
    assert commit("packed", "ref: refs/heads/main\n", **{"packed-refs": packed}) == COMMIT
    # A loose one is newer than a packed one.
    assert commit("both", "ref: refs/heads/main", refs__heads__main=OTHER, **{"packed-refs": packed}) == OTHER
    assert commit("deep", "ref: refs/heads/a/b.c", refs__heads__a__b="", **{"packed-refs": ""}) is None


@pytest.mark.parametrize(
    "head",
    [
        "", "ref: ", "ref: refs/heads/main", "ref: refs/../../secret", "ref: /etc/passwd", "ref: refs/heads/a b",
        "0" * 39, "0" * 65, "G" * 40, "ref: ref: refs/heads/x", "\0" * 40, "ref: refs/heads/\0", "ref: refs/" + "x" * 5000,
    ],
)  # fmt: skip
def test_heads_that_are_none(tmp_path: Path, head: str) -> None:
    (tmp_path / "secret").write_text(COMMIT)
    root = clone(tmp_path / "tree", head=head)
    (root / "secret").write_text(COMMIT)
    assert source_of(root).commit is None


def test_a_real_clone(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("remote", "add", "origin", "git@github.com:mlcommons/inference_results_v3.0.git")
    git("commit", "-q", "--allow-empty", "-m", "x")
    wanted = Source("inference_results_v3.0", V30, git("rev-parse", "HEAD"), official=True)
    assert source_of(tmp_path) == wanted
    git("pack-refs", "--all")
    assert source_of(tmp_path) == wanted
    git("checkout", "-q", "--detach")
    assert source_of(tmp_path) == wanted


# ---- hostile .git


@pytest.mark.parametrize(
    "config",
    [
        "", "\0\xff", "url = x", "[remote", '[remote "origin"]', '[remote "origin"]\nurl', '[remote "origin"]\nurl =',
        '[remote "origin"]\n%(x)s = %(y)s\nurl = %(url)s', "[core]\n" * 1000, "x" * 10**6,
        '[remote "origin"]\nurl = a\n[remote "origin"]\nurl = b\n',
    ],
)  # fmt: skip
def test_configurations_that_say_nothing(tmp_path: Path, config: str) -> None:
    root = clone(tmp_path / "tree")
    (root / ".git" / "config").write_text(config, encoding="latin-1")
    assert source_of(root) == Source("tree")


@pytest.mark.parametrize("what", ["file", "folder", "pipe", "loop", "nothing", "binary"])
def test_things_that_are_not_what_they_should_be(tmp_path: Path, what: str) -> None:
    git = tmp_path / "tree" / ".git"
    git.parent.mkdir()
    if what == "file":
        git.write_text("gitdir: /somewhere/else\n")
    elif what != "nothing":
        git.mkdir()
        for name in ("config", "HEAD", "packed-refs"):
            path = git / name
            if what == "folder":
                path.mkdir()
            elif what == "pipe":
                os.mkfifo(path)
            elif what == "loop":
                path.symlink_to(path)
            else:
                path.write_bytes(bytes(range(256)) * 4)
    assert source_of(tmp_path / "tree") == Source("tree")


# ---- what the user says


def test_what_is_said_goes_before_what_is_found(tmp_path: Path) -> None:
    root = clone(tmp_path / "tree", url="https://example.org/fork", head=OTHER)
    assert source_of(root) == Source("fork", "https://example.org/fork", OTHER, official=False)
    found = source_of(root, repository=f"{V30}.git", commit=f" {COMMIT.upper()} ")
    assert found == Source("inference_results_v3.0", V30, COMMIT, official=True)
    assert source_of(root, official=True).official and not source_of(root, repository=V30, official=False).official


def test_only_the_name_of_an_official_repository_makes_results_official(tmp_path: Path) -> None:
    for name, official in (
        ("inference_results_v3.0", True), ("inference_results_v4.1", True), ("my_inference_results_v3.0", False),
        ("inference_results_v3.0-fork", False), ("inference_results", False),
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        assert source_of(tmp_path / name).official is official


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"repository": "mlcommons/inference"}, "repository"),
        ({"repository": "file:///x"}, "repository"),
        ({"commit": "main"}, "commit"),
        ({"commit": ""}, "commit"),
        ({"commit": "0" * 41 + "x"}, "commit"),
    ],
)
def test_what_is_said_wrongly_is_told(tmp_path: Path, said: dict[str, str], what: str) -> None:
    with pytest.raises(UsageError, match=f"is no {what}"):
        source_of(tmp_path, **said)  # type: ignore[arg-type]


def test_urls_of_places() -> None:
    source = Source("x", V30, COMMIT)
    assert source.url("closed/Acme/results/a b/#1/%") == f"{V30}/tree/{COMMIT}/closed/Acme/results/a%20b/%231/%25"
    assert Source("x", V30).url("open") == f"{V30}/tree/HEAD/open"
    assert Source("x").url("open") is None
    assert source.url("\udcff") == f"{V30}/tree/{COMMIT}/%3F"


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"tree\xff")
    folder.mkdir()
    assert source_of(folder).name == "tree?"
