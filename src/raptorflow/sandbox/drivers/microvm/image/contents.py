"""What a guest's file systems hold: a small Debian to run in, and a smaller one to start from."""

import os
import posixpath
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.image import guest_init
from raptorflow.sandbox.drivers.microvm.image.erofs import FILE, LINK, Entry
from raptorflow.sandbox.drivers.microvm.image.packages import Package, members
from raptorflow.sandbox.errors import SandboxUnavailable

Tree = dict[str, Entry]
"""Path without a leading slash -> what stands there."""

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
COMPILE_SECONDS = 600
MERGED = re.compile(r"(bin|sbin|lib|lib32|lib64|libx32)(/|$)")
# Documents, translations, what other architectures and package managers need, and tests.
LEFT_OUT = re.compile(
    r"usr/share/(doc|man|locale|lintian|bug|info|menu|apps|applications|pixmaps|icons|binfmts)(/|$)"
    r"|usr/lib/python3[\d.]*/(test|idlelib|lib2to3|ensurepip|pydoc_data|turtledemo)(/|$)"
    r"|usr/lib/x86_64-linux-gnu/(gconv|audit|perl)(/|$)|usr/share/python3(/|$)|var(/|$)|usr/lib/modules(/|$)"
)
# What the kernel must be taught before it sees its disks and its host, each behind what it needs.
MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "virtio-rng", "erofs",
           "vmw_vsock_virtio_transport")  # fmt: skip
NEEDS = re.compile(rb"depends=([^\0]*)\0")
# The standard library's files that the first process imports, and what they import.
STARTED_WITH = ("ctypes/__init__", "ctypes/_endian", "encodings/__init__", "encodings/aliases",
                "encodings/ascii", "encodings/utf_8", "struct", "types")  # fmt: skip
EXTENSIONS = ("_ctypes", "select")
SHARED = ("libc.so.6", "libm.so.6", "libz.so.1", "libexpat.so.1", "libffi.so.8")
ETC = {
    "etc/passwd": "root:x:0:0:root:/:/bin/false\nnobody:x:65534:65534:nobody:/workspace:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hostname": "sandbox\n",
}


@dataclass(frozen=True)
class Python:
    """The image's interpreter, such as 3.11."""

    version: str

    @property
    def program(self) -> str:
        """Its path in the image."""
        return f"usr/bin/python{self.version}"

    @property
    def library(self) -> str:
        """Where its standard library lies."""
        return f"usr/lib/python{self.version}"


def kernel_of(package: Package) -> tuple[bytes, Tree]:
    """The packed kernel, and the modules that guests need, in the order in which they are loaded.

    Raises:
        SandboxUnavailable: something is not in the package.
    """
    image, modules = b"", dict[str, bytes]()
    for member, content in members(package):
        name = posixpath.basename(member.name)
        if name.startswith("vmlinuz-"):
            image = content
        elif name.endswith(".ko"):
            modules[name.removesuffix(".ko").replace("-", "_")] = content
    ordered = list(dict.fromkeys(_in_order(modules, [name.replace("-", "_") for name in MODULES])))
    tree = {f"modules/{name}": Entry.of_bytes(modules[name]) for name in ordered}
    return image, {**tree, "modules/order": Entry.of_bytes("\n".join(ordered).encode())}


def system_of(packages: Iterable[Package], folder: Path) -> tuple[Tree, Python]:
    """The root file system.

    Args:
        packages: what it is made of.
        folder: an empty one on the host, for the files.

    Raises:
        SandboxUnavailable: a package cannot be read, or has no Python.
    """
    tree: Tree = {}
    for package in packages:
        tree |= _unpacked(package, folder)
    python = Python(_version(tree))
    _settle(tree, python)
    tree |= _compiled(tree, python, folder)
    return {path: entry for path, entry in tree.items() if not LEFT_OUT.match(path)}, python


def first_system(system: Tree, python: Python, modules: Tree) -> Tree:
    """What the kernel unpacks first: an interpreter that is just enough for the first process."""
    wanted = [LOADER, python.program, *(f"{LIBRARIES}/{name}" for name in SHARED)]
    wanted += [path for path in system if path.startswith(f"{python.library}/lib-dynload/")
               and posixpath.basename(path).split(".")[0] in EXTENSIONS]  # fmt: skip
    targets = {path: _target(system, path) for path in wanted}
    tree = {target: system[target] for target in targets.values()}
    tree |= {path: _link(f"/{target}") for path, target in targets.items() if path != target}
    # These lie in memory then: guests use them again instead of reading the same from their disk.
    shared = sorted(set(targets.values()))
    tree["shared"] = Entry.of_bytes("\n".join(shared).encode())
    tree |= {f"{python.library}/{name}.pyc": system[_cache(python, name)] for name in STARTED_WITH}
    tree[f"{python.library}/os.py"] = system[f"{python.library}/os.py"]
    tree |= {name: _link(f"usr/{name}") for name in ("lib", "lib64")}
    source = Path(guest_init.__file__).read_bytes()
    first_line = f"#!/{python.program} -IS\n".encode()
    return {**tree, **modules, "init": Entry.of_bytes(first_line + source, executable=True)}


def _unpacked(package: Package, folder: Path) -> Tree:
    tree: Tree = {}
    for member, content in members(package):
        path = _merged(posixpath.normpath(member.name))
        if path.startswith("..") or (LEFT_OUT.match(path) and not path.startswith("usr/share/doc")):
            continue
        if member.issym():
            tree[path] = _link(member.linkname)
        elif member.isfile() or member.islnk():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            place.chmod(0o755)
            tree[path] = Entry(FILE, place, len(content), executable=bool(member.mode & 0o111))
    return tree


def _merged(path: str) -> str:
    """Where a file lies since `/bin` and its like are links into `/usr`."""
    return f"usr/{path}" if MERGED.match(path) else path


def _version(tree: Tree) -> str:
    names = [path.removeprefix("usr/bin/python") for path in tree if re.match(r"usr/bin/python3\.\d+$", path)]
    if not names:
        raise SandboxUnavailable("The packages hold no Python.")
    return names[0]


def _settle(tree: Tree, python: Python) -> None:
    """What the packages' own scripts would do after an installation."""
    for link, target in (("python3", f"python{python.version}"), ("sh", "dash")):
        tree[f"usr/bin/{link}"] = _link(target)
    tree |= {path: Entry.of_bytes(text.encode()) for path, text in ETC.items()}
    authorities = sorted(path for path in tree if re.match(r"usr/share/ca-certificates/.*\.crt$", path))
    bundle = b"".join(_content(tree[path]).rstrip() + b"\n" for path in authorities)
    tree["etc/ssl/certs/ca-certificates.crt"] = Entry.of_bytes(bundle)
    tree["usr/lib/ssl/cert.pem"] = _link("/etc/ssl/certs/ca-certificates.crt")


def _compiled(tree: Tree, python: Python, folder: Path) -> Tree:
    """The standard library's bytecode, made by the image's own interpreter, bound to no time of a file."""
    place = folder / python.library
    command = [folder / _target(tree, LOADER), "--library-path", folder / LIBRARIES, folder / python.program,
               "-S", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash",
               "-s", folder, "-p", "/", place]  # fmt: skip
    # What the compiler imports itself must not be written on the way: that would be bound to times.
    once = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {"PYTHONHOME": str(folder / "usr"), "PATH": os.defpath, **once}
    try:
        _link_libraries(tree, folder)
        subprocess.run(command, env=environment, capture_output=True, timeout=COMPILE_SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        words = (error.stderr + error.stdout).decode("utf-8", "replace").strip()[-400:]
        raise SandboxUnavailable(f"The image's Python does not run on this machine: {words}") from error
    return {
        str(file.relative_to(folder)): Entry(FILE, file, file.stat().st_size)
        for file in sorted(place.rglob("*.pyc"))
    }


def _link_libraries(tree: Tree, folder: Path) -> None:
    """Make the links among the libraries on the host too, so that the interpreter finds them."""
    for path, entry in tree.items():
        target = entry.content
        if path.startswith(LIBRARIES) and isinstance(target, bytes) and not target.startswith(b"/"):
            place = folder / path
            if entry.kind == LINK and not place.is_symlink():
                place.symlink_to(target.decode())


def _target(tree: Tree, path: str) -> str:
    """Where a path leads, through links."""
    entry = tree[path]
    if entry.kind != LINK or not isinstance(entry.content, bytes):
        return path
    joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), entry.content.decode()))
    return _target(tree, _merged(joined.lstrip("/")))


def _link(target: str) -> Entry:
    return Entry(LINK, target.encode(), len(target.encode()))


def _cache(python: Python, name: str) -> str:
    folder, _, file = f"{python.library}/{name}".rpartition("/")
    return f"{folder}/__pycache__/{file}.cpython-{python.version.replace('.', '')}.pyc"


def _content(entry: Entry) -> bytes:
    return entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()


def _in_order(modules: dict[str, bytes], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in modules:
            found = NEEDS.search(modules[name])
            needs = found[1].decode().replace("-", "_").split(",") if found else []
            yield from _in_order(modules, filter(None, needs))
            yield name
