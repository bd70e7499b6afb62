"""Code that looks for a text wherever a program inside can look: files, variables, arguments, memory.

The text comes in two halves, so that the code itself does not hold it.
"""

SEARCH = """
needle = (HEAD + TAIL).encode()
found = []
for folder in PLACES:
    for path in Path(folder).rglob('*'):
        if path.is_file() and path.name not in ('attack.py', 'prelude.py'):
            try:
                if needle in path.read_bytes():
                    found.append(str(path))
            except OSError:
                pass
for entry in Path('/proc').glob('[0-9]*'):
    for name in ('environ', 'cmdline', 'mem'):
        if int(entry.name) == os.getpid() and name == 'mem':
            continue
        try:
            if in_memory(entry, needle) if name == 'mem' else needle in (entry / name).read_bytes():
                found.append(f'{entry}/{name}')
        except OSError:
            pass
if not found:
    raise Absent('nowhere')
return found
"""
MEMORY = """
def in_memory(entry, needle):
    with open(entry / 'mem', 'rb', buffering=0) as file:
        for line in (entry / 'maps').read_text().splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split('-'))
            # What can be written: a value that somebody was given is in no program's file.
            if 'rw' not in line.split()[1] or end - start > (64 << 20) or '[v' in line:
                continue
            try:
                file.seek(start)
                if needle in file.read(end - start):
                    return True
            except (OSError, ValueError, OverflowError):
                continue
    return False
"""

SEEK = MEMORY + SEARCH
