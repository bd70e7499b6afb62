"""The one file of a multipart form, as a stream that is never held as a whole."""

from collections.abc import AsyncIterator

from python_multipart.multipart import MultipartParser, parse_options_header

from raptorflow.orchestrator.errors import InvalidUpload

MOST_HEADER_BYTES = 16 * 1024
HINT = "Send one form field with a file: curl -F file=@data.csv ..."


class _Form:
    """The parser's callbacks: notes the first file's name, and gathers its bytes as they come."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.ready: list[bytes] = []
        self.done = False
        self._header = b""
        self._value = b""
        self._in_file = False

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._header.lower() == b"content-disposition" and self.name is None:
            options = parse_options_header(self._value)[1]
            if b"filename" in options:
                self.name = options[b"filename"].decode(errors="replace")
                self._in_file = True
        self._header = self._value = b""

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.ready.append(data[start:end])

    def part_end(self) -> None:
        self.done = self.done or self._in_file
        self._in_file = False


async def multipart_file(body: AsyncIterator[bytes], boundary: bytes) -> tuple[str, AsyncIterator[bytes]]:
    """The first file of a form: its name, and its bytes as they come in.

    Raises:
        InvalidUpload: the body is no form, or has no file.
    """
    if not boundary:
        raise InvalidUpload("The form has no boundary.", hint=HINT)
    form = _Form()
    parser = MultipartParser(
        boundary,
        {
            "on_header_field": form.header_field,
            "on_header_value": form.header_value,
            "on_header_end": form.header_end,
            "on_part_data": form.part_data,
            "on_part_end": form.part_end,
        },
        max_size=float("inf"),
    )
    async for chunk in body:
        _feed(parser, chunk)
        if form.name is not None:
            return form.name, _rest(form, parser, body)
    raise InvalidUpload("The form has no file.", hint=HINT)


async def _rest(form: _Form, parser: MultipartParser, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        ready, form.ready = form.ready, []
        for piece in ready:
            yield piece
        if form.done:
            return
        chunk = await anext(body, None)
        if chunk is None:
            raise InvalidUpload("The form ends within its file.", hint=HINT)
        _feed(parser, chunk)


def _feed(parser: MultipartParser, chunk: bytes) -> None:
    try:
        parser.write(chunk)
    except ValueError as error:
        raise InvalidUpload(f"The form cannot be read: {error}", hint=HINT) from error
