"""The index: a DuckDB database that holds every row of every repository, and can be deleted at any time.

Files are the truth. Each use compares the result files on the disk with what the index was made from and takes in what
changed. Many may read while one writes: a writer works on a copy of the database and renames it into place, readers go
on with the one that they have open.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import duckdb
import msgspec

from assay.base.files import locked, machine_errors
from assay.base.processors import processor_count
from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.base.units import format_size
from assay.cm.library import open_library
from assay.errors import AssayError, InvalidInputError, MachineError
from assay.results.audience import Audience
from assay.results.clean import encodable
from assay.results.fields import FIELDS
from assay.results.importers.cm import CmImporter
from assay.results.index_files import Priority, ResultFile, priority_of, published_file, read_rows, result_files
from assay.results.kept import Kept
from assay.results.row import Row

PUBLISHED = Path(__file__).parent / "published" / "results.parquet"
_INDEX, _LOCK, _SCRATCH = "index.duckdb", ".index.lock", ".index-"
_FORM = 5
_OWN_COLUMNS = "file_id INTEGER, priority TINYINT, hidden BOOLEAN, other_cm_uid VARCHAR"
_COLUMNS = ", ".join(f'"{field.name}" {field.sql}' for field in FIELDS)
_VERSION = hashlib.sha256(f"{_FORM}:{_COLUMNS}".encode()).hexdigest()[:16]
# What a row leaves out of its JSON because it is usual, and lists that are empty rather than unknown.
_DEFAULTS = ", ".join(
    [
        "coalesce(format, 1) AS format",
        "coalesce(origin, 'official') AS origin",
        "coalesce(method, 'measured') AS method",
        *(f"coalesce({name}, []) AS {name}" for name in ("category", "findings", "labels", "accuracies", "challenges")),
    ]
)
_RESULTS = "SELECT * REPLACE (coalesce(cm_uid, other_cm_uid) AS cm_uid) FROM {} WHERE NOT hidden"
_ENCODER = msgspec.json.Encoder()
_LONGEST_ROW = 4 << 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Status:
    """What the index holds.

    Attributes:
        path: of the database.
        rows: rows of all files.
        results: results, each counted once.
        files: result files, by repository.
        problems: files that could not be read, and why.
        bytes: size of the database.
    """

    path: Path
    rows: int
    results: int
    files: dict[str, int]
    problems: tuple[tuple[str, str], ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Store:
    """An open index, for reading.

    Attributes:
        connection: to the database, which nobody changes while it is open.
        path: of the database.
        kept: what was found out already; None where nothing is kept.
    """

    connection: duckdb.DuckDBPyConnection
    path: Path
    kept: Kept | None = None

    def run(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Run a statement; its text is ours, what users write comes as parameters."""
        return self.connection.execute(sql, list(parameters))

    def answer(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer to a question: what is kept of it, else what ``make`` gives."""
        return make() if self.kept is None else self.kept.answer(key, make)

    def uids(self, sql: str, parameters: tuple[object, ...]) -> str | None:
        """A table with the uids that a statement gives; None where nothing is kept, or they are too many."""
        return None if self.kept is None else self.kept.uids(self.connection, sql, parameters)

    def cursor(self) -> Store:
        """The same index for another thread."""
        return Store(self.connection.cursor(), self.path, self.kept)

    def seen_by(self, audience: Audience, now: str) -> Store:
        """The same index with only those results in it that an audience may see; it has to be closed on its own.

        Whatever is asked of it, by whatever text: nothing else is there to be found, counted or told.

        Args:
            audience: who looks.
            now: the moment that embargoes are held against, UTC as ``2026-12-01T00:00:00Z``.
        """
        return open_seen(self.path, audience, now)

    def close(self) -> None:
        """Let go of the database."""
        self.connection.close()

    def results_in(self, repository: str) -> dict[str, int]:
        """How many results of each round a repository holds, whether or not its rows are those that are shown."""
        found = self.run(
            "SELECT round, count(DISTINCT uid) FROM "
            "(SELECT uid, round, file_id FROM rows UNION ALL SELECT uid, round, file_id FROM passed_over) "
            "JOIN files ON files.id = file_id WHERE repository = ? GROUP BY round ORDER BY round",
            (repository,),
        )
        return dict(found.fetchall())

    def status(self) -> Status:
        """What the index holds."""
        ((rows, results),) = self.run(
            "SELECT count(*) + (SELECT count(*) FROM passed_over), count(*) FILTER (NOT hidden) FROM rows"
        ).fetchall()
        files = self.run("SELECT repository, count(*) FROM files GROUP BY ALL ORDER BY ALL").fetchall()
        problems = self.run("SELECT path, problem FROM files WHERE problem <> '' ORDER BY path").fetchall()
        return Status(
            self.path,
            rows,
            results,
            dict(files),
            tuple((path, why) for path, why in problems),
            self.path.stat().st_size,
        )


def open_seen(path: Path, audience: Audience, now: str) -> Store:
    """The index at a path, as it is, with only those results in it that an audience may see; see :meth:`Store.seen_by`.

    Raises:
        MachineError: when it cannot be opened.
    """
    connection = _attached(path)
    try:
        condition = "" if audience.everything else f" AND {_seen(audience, now)}"
        # Over the rows themselves: a view over a view takes twice as long to plan, for every statement.
        connection.execute(f"CREATE VIEW results AS {_RESULTS.format('stored.main.rows')}{condition}")
    except BaseException:
        connection.close()
        raise
    return Store(connection, path, Kept())


def embargoes_of(path: Path) -> list[str]:
    """The moments at which results of an index come to be seen by everybody, in order; UTC as ``2026-12-01T00:00:00Z``.

    Raises:
        MachineError: when the index cannot be opened.
    """
    with contextlib.closing(_attached(path)) as connection:
        found = connection.execute(
            "SELECT DISTINCT embargo FROM stored.main.rows WHERE embargo IS NOT NULL ORDER BY embargo"
        ).fetchall()
    return [moment for (moment,) in found]


@contextlib.contextmanager
def open_store(settings: Settings, *, progress: Progress = SILENT, rebuild: bool = False) -> Iterator[Store]:
    """Open the index, made up to date first.

    Args:
        rebuild: make it anew from the files.

    Raises:
        MachineError: when it cannot be written, or the disk is full.
    """
    path = update(settings, progress=progress, rebuild=rebuild)
    connection = _connect(path, read_only=True)
    try:
        yield Store(connection, path)
    finally:
        connection.close()


@contextlib.contextmanager
def existing_store(settings: Settings) -> Iterator[Store | None]:
    """The index as it is, for what has to be quick and may be old; None when there is none that can be used."""
    path = settings.home / _INDEX
    if _known(path) is None:
        yield None
        return
    connection = _connect(path, read_only=True)
    try:
        yield Store(connection, path)
    finally:
        connection.close()


def update(settings: Settings, *, progress: Progress = SILENT, rebuild: bool = False) -> Path:
    """Bring the index up to date with the files; the path of the database."""
    path = settings.home / _INDEX
    files = _files(settings)
    if not rebuild and _known(path) == {file.key: file.stamp for file in files}:
        return path
    with locked(settings.home / _LOCK, timeout_s=600):
        # Somebody else may have done it meanwhile, and files may have changed.
        files = _files(settings)
        known = {} if rebuild else _known(path)
        if known is None or rebuild or known != {file.key: file.stamp for file in files}:
            _write(path, files, None if rebuild or _other_table(known, files) else known, progress)
    return path


def _other_table(known: dict[str, str] | None, files: Sequence[ResultFile]) -> bool:
    """Whether the shipped table is another one than the index was made from: what was passed over hangs on it."""
    shipped = {file.key: file.stamp for file in files if not file.repository}
    return known is not None and shipped != {
        key: known[key] for key in shipped.keys() | {str(PUBLISHED)} if key in known
    }


def _files(settings: Settings) -> list[ResultFile]:
    published = published_file(PUBLISHED)
    return [*([published] if published else []), *result_files(open_library(settings).repositories)]


def _known(path: Path) -> dict[str, str] | None:
    """What the index was made from; None when there is none that can be used."""
    if not path.is_file():
        return None
    try:
        with contextlib.closing(_connect(path, read_only=True)) as connection:
            ((version,),) = connection.execute("SELECT version FROM form").fetchall()
            if version != _VERSION:
                return None
            return dict(connection.execute("SELECT path, stamp FROM files").fetchall())
    except (duckdb.Error, ValueError, MachineError):
        # Damaged, or of another version: it is a view, and made anew.
        return None


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if read_only:
        connection = _attached(path)
        connection.execute("USE stored")
        return connection
    with _telling(path):
        return duckdb.connect(str(path))


def _attached(path: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory with the index beside it, for reading.

    By its path DuckDB would hand out the database that this process has open already, not the one that a writer has
    put in its place since.
    """
    with _telling(path):
        connection = duckdb.connect(":memory:")
        try:
            # DuckDB counts the machine's processors, also where this process may use one of them alone.
            connection.execute(f"SET threads = {processor_count()}")
            connection.execute(f"ATTACH {_literal(str(path))} AS stored (READ_ONLY)")
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        raise MachineError("the index cannot be opened", where=path, hint="assay index rebuild") from error


def _seen(audience: Audience, now: str) -> str:
    """The condition of what an audience sees; a view takes no parameters."""
    names = ", ".join(_literal(name) for name in sorted(audience.names)) or "NULL"
    return f"(access IS NULL OR access IN ({names}) OR embargo <= {_literal(now)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def _write(path: Path, files: Sequence[ResultFile], known: dict[str, str] | None, progress: Progress) -> None:
    """Write a new database from the old one and the files that changed, then put it in the old one's place."""
    for left in path.parent.glob(f"{_SCRATCH}*"):
        # The lock is held, so it belongs to a writer that was killed.
        shutil.rmtree(left, ignore_errors=True)
    with machine_errors(path), tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=path.parent) as scratch:
        new = Path(scratch) / _INDEX
        if known is not None:
            shutil.copyfile(path, new)
            try:
                _bring_up(new, files, known, progress)
            except duckdb.Error:
                # Damaged in a page that nobody had looked at.
                known = None
                new.unlink()
                new.with_name(f"{_INDEX}.wal").unlink(missing_ok=True)
        if known is None:
            try:
                _bring_up(new, files, None, progress)
            except duckdb.Error as error:
                raise MachineError(
                    f"the index cannot be written: {error}", where=path, hint="free some space"
                ) from error
        new.replace(path)


def _bring_up(new: Path, files: Sequence[ResultFile], known: dict[str, str] | None, progress: Progress) -> None:
    with contextlib.closing(_connect(new, read_only=False)) as connection:
        if known is None:
            _create(connection)
        _Writer(connection, new.parent, progress).bring_up(files, known or {})


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE form (version VARCHAR)")
    connection.execute("INSERT INTO form VALUES (?)", [_VERSION])
    connection.execute(
        "CREATE TABLE files (id INTEGER, path VARCHAR, repository VARCHAR, stamp VARCHAR, problem VARCHAR)"
    )
    connection.execute(f"CREATE TABLE rows ({_COLUMNS}, {_OWN_COLUMNS})")
    # Rows of CM that the shipped table knows better; nothing of them is ever shown but the uid that CM gave.
    connection.execute("CREATE TABLE passed_over (uid VARCHAR, round VARCHAR, cm_uid VARCHAR, file_id INTEGER)")
    connection.execute(f"CREATE VIEW results AS {_RESULTS.format('rows')}")


class _Writer:
    """Takes changed files into a database that nobody else has open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path, progress: Progress) -> None:
        self._connection = connection
        self._scratch = scratch
        self._progress = progress
        self._importer: CmImporter | None = None
        self._passed_over: list[tuple[object, ...]] = []

    def bring_up(self, files: Sequence[ResultFile], known: dict[str, str]) -> None:
        # One transaction, whose end goes into the database at once instead of into a log first: nobody reads it before
        # it is complete, and one that breaks off is thrown away.
        self._connection.execute("SET checkpoint_threshold = '1KB'")
        self._connection.execute("BEGIN")
        changed = [file for file in files if known.get(file.key) != file.stamp]
        gone = set(known) - {file.key for file in files}
        stale = [*gone, *(file.key for file in changed if file.key in known)]
        if stale:
            self._forget(stale)
        ((last,),) = self._connection.execute("SELECT coalesce(max(id), 0) FROM files").fetchall()
        step = self._progress.start("index", total=len(changed), unit="files")
        try:
            self._take(changed, last, step.advance)
        finally:
            step.finish()
        self._one_row_each(list(dict.fromkeys(file.repository for file in files)))
        self._connection.execute("COMMIT")
        self._connection.execute("CHECKPOINT")

    def _forget(self, paths: Sequence[str]) -> None:
        connection = self._connection
        connection.execute("CREATE TEMP TABLE stale AS SELECT id FROM files WHERE path IN (SELECT unnest(?))", [paths])
        connection.execute("DELETE FROM rows WHERE file_id IN (SELECT id FROM stale)")
        connection.execute("DELETE FROM passed_over WHERE file_id IN (SELECT id FROM stale)")
        connection.execute("DELETE FROM files WHERE id IN (SELECT id FROM stale)")

    def _take(self, files: Sequence[ResultFile], last: int, advance: Any) -> None:
        # The shipped table comes first, so that what it knows better need not be made.
        files = sorted(files, key=lambda file: file.path != str(PUBLISHED))
        listed: list[list[object]] = []
        batch = self._scratch / "rows.ndjson"
        with batch.open("wb", buffering=1 << 20) as stream:
            for number, file in enumerate(files, last + 1):
                problem = ""
                if file.path == str(PUBLISHED):
                    self._published(number)
                else:
                    problem = self._read(file.path, number, stream)
                listed.append([number, file.key, file.repository, file.stamp, encodable(problem)])
                advance()
        if batch.stat().st_size:
            self._load(batch)
        self._load_passed_over()
        if listed:
            # One statement: DuckDB takes a millisecond for each, whatever it holds.
            columns = [list(column) for column in zip(*listed, strict=True)]
            self._connection.execute(f"INSERT INTO files SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)

    def _read(self, path: str, number: int, stream: BinaryIO) -> str:
        """Add the rows of a file to the batch; what is wrong with it, empty when nothing is."""
        if self._importer is None:
            known = self._connection.execute("SELECT uid FROM rows WHERE priority = ?", [int(Priority.PUBLISHED)])
            self._importer = CmImporter(known=frozenset(uid for (uid,) in known.fetchall()))
        try:
            lines = _lines(read_rows(path, self._importer), number)
        except AssayError as error:
            return str(error)
        else:
            stream.write(lines)
            self._passed_over += ((*each, number) for each in self._importer.passed_over)
            return ""
        finally:
            self._importer.passed_over.clear()

    def _load_passed_over(self) -> None:
        if self._passed_over:
            # A file is taken in ten times as fast as lists are bound.
            lines = self._scratch / "passed-over.ndjson"
            names = ("uid", "round", "cm_uid", "file_id")
            rows = (dict(zip(names, each, strict=True)) for each in dict.fromkeys(self._passed_over))
            lines.write_bytes(b"\n".join(map(_ENCODER.encode, rows)))
            self._connection.execute(
                "INSERT INTO passed_over BY NAME SELECT * FROM read_json(?, format='newline_delimited', "
                "columns={uid: 'VARCHAR', round: 'VARCHAR', cm_uid: 'VARCHAR', file_id: 'INTEGER'})",
                [str(lines)],
            )

    def _load(self, batch: Path) -> None:
        types = {field.name: field.sql for field in FIELDS}
        types |= {"file_id": "INTEGER", "priority": "TINYINT"}
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
        self._connection.execute(
            f"INSERT INTO rows BY NAME SELECT * REPLACE ({_DEFAULTS}), false AS hidden, NULL AS other_cm_uid "
            f"FROM read_json(?, format='newline_delimited', "
            f"columns={{{columns}}}, maximum_object_size=67108864)",
            [str(batch)],
        )

    def _published(self, number: int) -> None:
        self._connection.execute(
            "INSERT INTO rows BY NAME SELECT *, ? AS file_id, ? AS priority, false AS hidden, NULL AS other_cm_uid "
            "FROM read_parquet(?)",
            [number, int(Priority.PUBLISHED), str(PUBLISHED)],
        )

    def _one_row_each(self, repositories: Sequence[str]) -> None:
        """Of several rows of one result the best is shown; it takes the uid that CM knows it by from the others.

        Of equals the one in the first repository is: what is shown does not hang on which file changed last.
        """
        connection = self._connection
        connection.execute(
            "UPDATE rows SET hidden = false, other_cm_uid = NULL WHERE hidden OR other_cm_uid IS NOT NULL"
        )
        connection.execute(
            "CREATE TEMP TABLE several AS SELECT uid, max(cm_uid) AS cm_uid FROM "
            "(SELECT uid, cm_uid FROM rows UNION ALL SELECT uid, cm_uid FROM passed_over) "
            "GROUP BY uid HAVING count(*) > 1"
        )
        connection.execute(
            "UPDATE rows SET hidden = true WHERE rowid IN (SELECT row FROM (SELECT rows.rowid AS row, "
            "row_number() OVER (PARTITION BY rows.uid "
            "ORDER BY priority, list_position(?, repository), path, rows.rowid) AS place "
            "FROM rows JOIN several USING (uid) JOIN files ON files.id = file_id) WHERE place > 1)",
            [repositories],
        )
        connection.execute(
            "UPDATE rows SET other_cm_uid = several.cm_uid FROM several "
            "WHERE rows.uid = several.uid AND rows.cm_uid IS NULL AND several.cm_uid IS NOT NULL"
        )


def _lines(rows: Sequence[Row], number: int) -> bytes:
    """Rows as lines of JSON, each with the number of its file and its priority."""
    lines = []
    for row in rows:
        encoded = _ENCODER.encode(row)
        if len(encoded) > _LONGEST_ROW:
            raise InvalidInputError("a row is too long", expected=f"at most {format_size(_LONGEST_ROW)}")
        lines.append(b'{"file_id":%d,"priority":%d,%b\n' % (number, priority_of(row), encoded[1:]))
    return b"".join(lines)
