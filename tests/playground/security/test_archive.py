from __future__ import annotations

import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from assay.errors import AssayError, InvalidInputError
from assay.playground.security.archive import Unpacked, unpack
from assay.playground.security.config import UploadLimits

FILES = {"closed/ada/results/sys/mlperf_log_detail.txt": b"line\n" * 100, "closed/ada/README.md": "Grüße".encode()}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": lambda raw: raw,
    "tar.gz": lambda raw: gzip.compress(raw, mtime=0),
    "tar.xz": lzma.compress,
}


def tar_of(files: dict[str, bytes], extra: Iterable[tarfile.TarInfo] = (), form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tarred:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tarred.addfile(info, io.BytesIO(content))
        for info in extra:
            tarred.addfile(info)
    return buffer.getvalue()


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


def unpacked(tmp_path: Path, raw: bytes, **limits: float) -> Unpacked:
    archive = tmp_path / "upload.bin"
    archive.write_bytes(raw)
    return unpack(archive, tmp_path / "into", UploadLimits.model_validate(limits))


def refused(tmp_path: Path, raw: bytes, **limits: float) -> str:
    with pytest.raises(InvalidInputError) as caught:
        unpacked(tmp_path, raw, **limits)
    assert not (tmp_path / "into").exists(), "something was left"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["upload.bin"], "something was written outside"
    assert str(tmp_path) not in str(caught.value), "the error tells a path of the server"
    return str(caught.value)


# ---- what is taken


@pytest.mark.parametrize("packer", [*PACKERS, "zip"])
def test_files_come_out_as_they_went_in(tmp_path: Path, packer: str) -> None:
    raw = zip_of(FILES) if packer == "zip" else PACKERS[packer](tar_of(FILES))
    done = unpacked(tmp_path, raw)
    assert done == Unpacked(files=2, size=sum(map(len, FILES.values())))
    for name, content in FILES.items():
        assert (tmp_path / "into" / name).read_bytes() == content


def test_folders_and_a_leading_dot_are_no_harm_and_nothing_can_be_run(tmp_path: Path) -> None:
    folder, script = tarfile.TarInfo("./empty"), tarfile.TarInfo("./run.sh")
    folder.type, script.mode = tarfile.DIRTYPE, 0o4777
    unpacked(tmp_path, tar_of({}, [tarfile.TarInfo("./"), folder, script][1:]))
    assert (tmp_path / "into" / "empty").is_dir()
    assert stat.S_IMODE((tmp_path / "into" / "run.sh").stat().st_mode) & 0o7111 == 0


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names(tmp_path: Path, form: int) -> None:
    name = "/".join(["n" * 60] * 5)
    unpacked(tmp_path, tar_of({name: b"x"}, form=form))
    assert (tmp_path / "into" / name).read_bytes() == b"x"


def test_an_empty_file_and_a_full_one_of_whole_blocks(tmp_path: Path) -> None:
    assert unpacked(tmp_path, tar_of({"a": b"", "b": b"x" * 1024, "c": b"y" * 513})).size == 1537


def test_the_folder_has_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine").write_text("mine")
    with pytest.raises(InvalidInputError, match="not empty"):
        unpacked(tmp_path, tar_of(FILES))
    assert (tmp_path / "into" / "mine").read_text() == "mine"


# ---- names that leave the folder, or confuse


WRONG_NAMES = {
    "/etc/passwd": "outside",
    "../up": "outside",
    "a/../../up": "outside",
    "a\\..\\up": "outside",
    "C:/windows": "outside",
    "a\nb": "control",
    "a\x1bb": "control",
    "n" * 300: "too long",
    "/".join(["d" * 100] * 12): "too long",
    "/".join(["d"] * 20): "deeper",
}


@pytest.mark.parametrize("name", WRONG_NAMES, ids=lambda name: name[:12])
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_wrong_names(tmp_path: Path, name: str, pack: Callable[[dict[str, bytes]], bytes]) -> None:
    assert WRONG_NAMES[name] in refused(tmp_path, pack({"good": b"", name: b"x"}))


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("A/x", "a/y"), "case"),
        (("README", "readme"), "case"),
        (("é", "e\u0301"), "case"),
        (("a", "a/b"), "one name"),
        (("a/b", "a"), "one name"),
    ],
)
def test_names_that_are_one_on_other_disks(
    tmp_path: Path, names: tuple[str, ...], words: str, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    assert words in refused(tmp_path, pack(dict.fromkeys(names, b"x")))


def test_a_file_twice(tmp_path: Path) -> None:
    assert "twice" in refused(tmp_path, tar_of({"a": b"1"})[:1024] + tar_of({"a": b"2"}))


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    raw = tar_of({"na_me": b"x"}, form=tarfile.USTAR_FORMAT).replace(b"na_me", b"na\xffme")
    header = bytearray(raw[:512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    refused(tmp_path, bytes(header) + raw[512:])
    assert "UTF-8" in refused(tmp_path, zip_of({"na_me": b"x"}).replace(b"na_me", b"na\xffme"))


def test_a_name_with_a_hidden_end(tmp_path: Path) -> None:
    refused(tmp_path, zip_of({"good_bad": b"x"}).replace(b"good_bad", b"good\0bad"))


# ---- what is no file


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_and_devices(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("thing")
    info.type, info.linkname = kind, "/etc/passwd"
    refused(tmp_path, tar_of({"good": b"x"}, [info]))


def test_writing_through_a_link_does_not_come_to_pass(tmp_path: Path) -> None:
    link = tarfile.TarInfo("out")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tarred:
        tarred.addfile(link)
        tarred.addfile(tarfile.TarInfo("out/escaped"))
    refused(tmp_path, buffer.getvalue())


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(info, "/etc/passwd")
    assert "no plain file" in refused(tmp_path, buffer.getvalue())


def test_encrypted_and_unusual_zips(tmp_path: Path) -> None:
    raw = bytearray(zip_of({"a": b"x"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    assert "encrypted" in refused(tmp_path, bytes(raw))
    assert "unusual" in refused(tmp_path, zip_of({"a": b"x"}, zipfile.ZIP_LZMA))


# ---- bombs


def test_a_bomb_of_one_file(tmp_path: Path) -> None:
    zeros = {"zeros": bytes(40 << 20)}
    for raw in (gzip.compress(tar_of(zeros)), lzma.compress(tar_of(zeros)), zip_of(zeros)):
        assert "grows too much" in refused(tmp_path, raw)
    assert "too large when unpacked" in refused(tmp_path, zip_of(zeros), max_unpacked=1 << 20)


def test_a_log_that_compresses_well_is_no_bomb(tmp_path: Path) -> None:
    line = {"mlperf_log_trace.json": b"".join(b'{"name": "Sample", "ts": %d}\n' % (n * 997) for n in range(600_000))}
    raw = gzip.compress(tar_of(line), 1)
    assert len(line["mlperf_log_trace.json"]) > 16 << 20
    assert unpacked(tmp_path, raw).files == 1


def test_zips_whose_files_lie_over_each_other(tmp_path: Path) -> None:
    """Many entries of one piece of data: what is written counts, not what is listed."""
    raw = zip_of({"f0": bytes(1 << 20)})
    start = raw.index(b"PK\x01\x02")
    entry = raw[start : raw.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"f0", b"%02d" % number) for number in range(90))
    data = raw[:start].replace(b"f0", b"00")
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 90, 90, len(entries), len(data), 0)
    refused(tmp_path, data + entries + end)


def test_too_many_files_and_folders(tmp_path: Path) -> None:
    many = {f"f{number}": b"" for number in range(101)}
    for raw in (tar_of(many), zip_of(many)):
        assert "too many files" in refused(tmp_path, raw, max_files=100)
    folders = [tarfile.TarInfo(f"d{number}") for number in range(201)]
    for folder in folders:
        folder.type = tarfile.DIRTYPE
    assert "too many files" in refused(tmp_path, tar_of({}, folders), max_files=100)


def test_an_archive_that_is_too_large_as_it_comes(tmp_path: Path) -> None:
    assert "too large" in refused(tmp_path, tar_of(FILES), max_bytes=100)


def test_a_header_that_would_fill_the_memory(tmp_path: Path) -> None:
    """An extended header says its own size; one of gigabytes is not read in one piece."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 6 << 30
    assert "too large" in refused(tmp_path, gzip.compress(info.tobuf() + bytes(1 << 20)))
    long_name = tarfile.TarInfo("long")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 6 << 30
    assert "too large" in refused(tmp_path, gzip.compress(long_name.tobuf() + bytes(1 << 20)))


def test_headers_without_end(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 512
    record = b"20 comment=aaaaaaaa\n".ljust(512, b"\0")
    refused(tmp_path, gzip.compress((info.tobuf() + record) * 20_000))


def test_an_xz_that_wants_too_much_memory(tmp_path: Path) -> None:
    small = lzma.compress(tar_of(FILES), lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}])
    assert unpacked(tmp_path, small).files == 2
    (tmp_path / "into").rename(tmp_path / "first")
    # The size of the dictionary stands in one byte of the block's header; making such a stream takes a gigabyte.
    header = bytearray(small)
    place = header.index(b"\x21\x01", 12) + 2
    header[place] = 36
    size = (header[12] + 1) * 4
    header[12 + size - 4 : 12 + size] = zlib.crc32(bytes(header[12 : 12 + size - 4])).to_bytes(4, "little")
    archive = tmp_path / "upload.bin"
    archive.write_bytes(bytes(header))
    with pytest.raises(InvalidInputError, match="[Mm]emory"):
        unpack(archive, tmp_path / "into")


# ---- damage


@pytest.mark.parametrize("packer", [*PACKERS, "zip"])
def test_cut_archives_are_damaged_never_half_taken(tmp_path: Path, packer: str) -> None:
    files = {**FILES, "noise": random.Random(1).randbytes(3000), "last": b"x" * 700}
    raw = zip_of(files) if packer == "zip" else PACKERS[packer](tar_of(files))
    # tar pads to whole records: what is cut from that is no loss.
    end = len(raw) if packer != "tar" else 9 * 512
    for length in range(20, end - 1, max(1, end // 40)):
        refused(tmp_path, raw[:length])


@pytest.mark.parametrize("packer", [*PACKERS, "zip"])
def test_no_damage_gives_anything_but_an_error_of_ours(tmp_path: Path, packer: str) -> None:
    chance = random.Random(packer)
    whole = zip_of(FILES) if packer == "zip" else PACKERS[packer](tar_of(FILES))
    for number in range(150):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        archive = tmp_path / "damaged.bin"
        archive.write_bytes(bytes(raw))
        try:
            unpack(archive, tmp_path / f"{number}")
        except AssayError:
            assert not (tmp_path / f"{number}").exists()


@pytest.mark.parametrize(
    "raw", [b"", b"hello", b"BZh9" + bytes(600), b"\x1f\x8b", b"PK\x03\x04", b"\xfd7zXZ\x00", bytes(2048)]
)
def test_what_is_no_archive(tmp_path: Path, raw: bytes) -> None:
    refused(tmp_path, raw)
