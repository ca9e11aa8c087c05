"""The process that supervises the embedded Postgres as long as a process uses it.

Users hold a shared lock on one file; the supervisor waits for the exclusive lock.
Locks vanish with their process, so kill -9 of every user stops the server too. Run it
as `python -m storage.process.postgres_supervisor`. It imports the standard library
only, so that it starts quickly.
"""

import fcntl
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from urllib.parse import quote

PORT = "5432"
NAME = "autolynx"
"""Name of the database and of its user."""

READY_LINE = 7
"""Index of the line in postmaster.pid that contains the server's status."""

POLL_SECONDS = 0.1
FAST_STOP_SECONDS = 60.0
"""How long each way to stop the server is given before the next, harder one."""

ORPHANS_SECONDS = 30.0
"""How long processes of a killed server may take to end before a start fails."""

PLAIN_SOCKET_PATH = re.compile(r"[A-Za-z0-9_./-]{1,80}")
"""Paths that fit into a socket address and need no quoting in a host list."""

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
REFUSED = (
    "AutoLynx: Postgres refuses to run as root or as a user without a name, and the"
    " user nobody has no access to {folder}. Run AutoLynx as an ordinary user, or set"
    " AUTOLYNX_DATA_DIR to a folder that all users may enter (such as"
    " /var/lib/autolynx), or set AUTOLYNX_DATABASE_URL."
)


@dataclass(frozen=True)
class Home:
    """The files of one embedded Postgres; `owner` is the user id of its processes."""

    folder: Path
    owner: int = field(default_factory=os.geteuid)

    @property
    def pgdata(self) -> Path:
        """The data directory of the server."""
        return self.folder / "postgres"

    @property
    def pid_file(self) -> Path:
        """Postgres' file with the process id and the status of the server."""
        return self.pgdata / "postmaster.pid"

    @property
    def log(self) -> Path:
        """The log of the supervisor and of the server."""
        return self.folder / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Lock file of the process that starts the server or a supervisor."""
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Lock file of the users: each holds a shared lock."""
        return self.folder / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Lock file of the supervisor, under the name that release 1 uses."""
        return self.folder / "keeper.lock"

    @property
    def sockets(self) -> Path:
        """Folder of the sockets: a short path that libpq does not split."""
        inside = self.folder / "socket"
        if PLAIN_SOCKET_PATH.fullmatch(str(inside)):
            return inside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        temporary = Path("/tmp")  # noqa: S108 - private folder below, owner verified
        return temporary / f"{NAME}-{self.owner}-{digest}"

    def url(self, database: str = NAME) -> str:
        """Return the URL of a database, over the Unix socket."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql://{NAME}@/{database}?host={host}&port={PORT}"

    def server_pid(self) -> int | None:
        """Return the process id of the running server, None if there is none."""
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if f" -D {self.pgdata} " in _command_line(pid) else None

    def was_ready(self) -> bool:
        """Return whether the server had started completely when it last ran."""
        try:
            lines = self.pid_file.read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"


def _command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        with suppress(FileNotFoundError, ProcessLookupError):
            line = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
            return line.replace("\0", " ")
        return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(  # noqa: S603 - fixed command of ours
        command, check=False, capture_output=True, text=True
    )
    return shown.stdout


class Server:
    """The server: a child of this supervisor, or one that outlived its supervisor."""

    def __init__(self, home: Home, binaries: Path, settings: Mapping[str, str]) -> None:
        self._home = home
        self._binaries = binaries
        self._settings = SETTINGS | dict(settings)
        self._child: subprocess.Popen[bytes] | None = None
        self._adopted: int | None = None

    def start(self) -> None:
        """Adopt the running server, or start one without waiting until it is ready."""
        self._adopted = self._home.server_pid()
        if self._adopted is not None:
            return
        if not (self._home.pgdata / "PG_VERSION").exists():
            self._initialise()
        self._disown_stale_pid_file()
        self._clear_sockets()
        self._child = subprocess.Popen(  # noqa: S603 - our own binary
            self._command(), env=_environment(), stdin=subprocess.DEVNULL
        )

    def is_alive(self) -> bool:
        """Return whether the server's process runs."""
        if self._adopted is not None:
            return self._home.server_pid() == self._adopted
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """Stop the server cleanly; if it does not end in time, harder."""
        for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._signal(kind)
            if self._has_ended(FAST_STOP_SECONDS):
                return

    def _signal(self, kind: signal.Signals) -> None:
        pid = self._child.pid if self._child else self._adopted
        if pid is not None and self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(pid, kind)

    def _has_ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 5)
        return not self.is_alive()

    def _command(self) -> list[str]:
        command = [str(self._binaries / "postgres"), "-D", str(self._home.pgdata)]
        command += ["-p", PORT, "-k", str(self._home.sockets)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _initialise(self) -> None:
        fresh = self._home.folder / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        command = [str(self._binaries / "initdb"), "-D", str(fresh), "-U", NAME]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--no-instructions"]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        subprocess.run(  # noqa: S603 - our own binary
            command, check=True, env=_environment(), stdin=subprocess.DEVNULL
        )
        fresh.rename(self._home.pgdata)

    def _disown_stale_pid_file(self) -> None:
        """Write our own process id into the file of a server that was killed.

        The old id may belong to another process by now, and the server would then
        refuse to start. Postgres treats its parent's id as stale, but still checks
        whether processes of the dead server use the shared memory in the file.
        """
        with suppress(FileNotFoundError):
            lines = self._home.pid_file.read_text().split("\n")
            lines = [str(os.getpid()), *lines[1:READY_LINE]]
            self._home.pid_file.write_text("\n".join(lines) + "\n")

    def _clear_sockets(self) -> None:
        """Remove the socket files of a killed server; its process id may be in use."""
        for left in self._home.sockets.glob(".s.PGSQL.*"):
            left.unlink()


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def supervise(home: Home, server: Server, users: TextIOWrapper) -> None:
    """Run the server until no process holds a lock on `users`, then stop it.

    A server that ends is started again, but not if it failed to start: then return.
    """
    orphans_until = time.monotonic() + ORPHANS_SECONDS
    server.start()
    while not try_lock(users):
        if not server.is_alive():
            orphans = time.monotonic() < orphans_until and _memory_in_use(home)
            if not (home.was_ready() or orphans):
                return
            server.start()
        time.sleep(POLL_SECONDS)
    server.stop()


def try_lock(file: TextIOWrapper) -> bool:
    """Take the exclusive lock of a file if no process holds a lock; return whether."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def log_tail(home: Home, lines: int = 20) -> str:
    """Return the last lines of the log; empty if there is no log."""
    try:
        text = home.log.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _memory_in_use(home: Home) -> bool:
    """Return whether the last start failed because of processes of a killed server."""
    return "pre-existing shared memory block" in log_tail(home, lines=5)


def drop_privileges(home: Home, binaries: Path) -> None:
    """Become an ordinary user; Postgres refuses root and users without a name.

    First choice is a user namespace that maps our user to `nobody`: our user stays the
    owner of all files, and no folder is opened to others. If namespaces are forbidden,
    root becomes `nobody`.

    Raises PermissionError, which says what to do, if neither works.
    """
    if os.geteuid() != 0 and _has_a_name(os.geteuid()):
        return
    nobody = pwd.getpwnam("nobody")
    needed = [binaries / "postgres", home.folder, home.sockets]
    if home.pgdata.exists():
        needed.append(home.pgdata)
    if _works(lambda: _map_user_to(nobody), needed):
        _map_user_to(nobody)
    elif _works(
        lambda: _switch_to(nobody), [binaries / "postgres", home.folder.parent]
    ):
        _hand_over(home, nobody)
        _switch_to(nobody)
    else:
        raise PermissionError(REFUSED.format(folder=home.folder))


def _has_a_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _map_user_to(nobody: pwd.struct_passwd) -> None:
    if sys.platform != "linux":
        raise PermissionError
    uid, gid = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{nobody.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{nobody.pw_gid} {gid} 1")


def _switch_to(nobody: pwd.struct_passwd) -> None:
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


def _works(change: Callable[[], None], needed: list[Path]) -> bool:
    """Return whether a child process can access `needed` after the change of user."""
    child = os.fork()
    if child == 0:
        reached = False
        with suppress(OSError):
            change()
            reached = all(os.access(path, os.X_OK) for path in needed)
        os._exit(0 if reached else 1)
    return os.waitpid(child, 0)[1] == 0


def _hand_over(home: Home, nobody: pwd.struct_passwd) -> None:
    for top in (home.folder, home.sockets):
        for path in (top, *top.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)


def make_private(folder: Path) -> None:
    """Create a folder to which only our user has access.

    Raises PermissionError if it exists and belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    owners = {os.geteuid()}
    if os.geteuid() == 0:
        owners.add(pwd.getpwnam("nobody").pw_uid)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise PermissionError(f"AutoLynx: {folder} belongs to another user")
    if stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        folder.chmod(stat.S_IRWXU)


def main(folder: str, binaries: str, settings: str) -> None:
    """Fork into the background, holding the supervisor's lock, and supervise.

    `settings` are the server's settings as JSON.
    """
    home = Home(Path(folder))
    # The supervisor's lock is released first: a process that gets the users' lock then
    # starts a new supervisor.
    with home.users_lock.open("a") as users, home.supervisor_lock.open("a") as lock:
        if not try_lock(lock) or os.fork():
            os._exit(0)
        # A signal to the whole process group must not stop the server before its users.
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        try:
            drop_privileges(home, Path(binaries))
            server = Server(home, Path(binaries), json.loads(settings))
            supervise(home, server, users)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
