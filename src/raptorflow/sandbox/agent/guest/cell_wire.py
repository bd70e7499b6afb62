"""What the host and the interpreter of a session tell each other; both sides use this file.

To the interpreter, on its standard input:

    kind     1 byte     `CELL` or `INTERRUPT`
    number   4 bytes    of the cell, big-endian
    length   4 bytes    of the payload: for a cell its mark and its code, for an interrupt nothing

From it, on descriptor 3: a 4-byte length and so many bytes of JSON for each cell, and once at the start for
cell 0. The end of a cell's printing is its mark, which the interpreter writes to both outputs.
"""

import struct

CELL, INTERRUPT = b"C", b"I"
HEAD = struct.Struct("!cII")
LENGTH = struct.Struct("!I")
MARK_BYTES = 33
MOST_OUTCOME_BYTES = 1024 * 1024
RESULT_CHARS = 64 * 1024
MESSAGE_CHARS = 8 * 1024
TRACE_LINES, LINE_CHARS = 100, 500
