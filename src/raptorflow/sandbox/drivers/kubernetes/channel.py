"""The channel to an agent: an exec stream of the API server, whose messages begin with a channel's number.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/ (pods/exec) and the subprotocols
`v4.channel.k8s.io` and `v5.channel.k8s.io`.
"""

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.kubernetes.wire import Socket

log = logger(__name__)

STDIN, STDOUT, STDERR, STATUS = 0, 1, 2, 3
CHUNK = 64 * 1024
# Enough to say why the way in failed; whatever else comes is dropped.
SAID = 500


class ExecChannel:
    """Bytes to the agent and back.

    Args:
        socket: the exec stream.
        sandbox_id: whose it is, for the log.
    """

    def __init__(self, socket: Socket, sandbox_id: str) -> None:
        self._socket = socket
        self._sandbox_id = sandbox_id
        self._left = b""
        self._said = b""
        self.ended = False

    async def read(self) -> bytes:
        """The next bytes, 64 KiB at most; nothing when the sandbox has ended."""
        while not self._left:
            message = await self._socket.receive()
            if message is None:
                return self._end()
            self._take(message)
        chunk, self._left = self._left[:CHUNK], self._left[CHUNK:]
        return chunk

    async def write(self, data: bytes) -> None:
        """Send; waits while the guest does not read.

        Raises:
            ConnectionError: the sandbox has ended.
        """
        if self.ended:
            raise ConnectionResetError("The sandbox has ended.")
        for at in range(0, len(data), CHUNK):
            await self._socket.send(bytes([STDIN]) + data[at : at + CHUNK])

    def close(self) -> None:
        """Let go of it: the agent's input ends, and so does the agent."""
        self.ended = True
        self._socket.close()

    def _take(self, message: bytes) -> None:
        """Keep what the agent said; errors and the last status are only for the log."""
        kind, payload = message[:1], message[1:]
        if kind == bytes([STDOUT]):
            self._left = payload
        elif kind in {bytes([STDERR]), bytes([STATUS])}:
            self._said = (self._said + payload)[:SAID]

    def _end(self) -> bytes:
        if not self.ended:
            self.close()
            log.info(
                "a sandbox's channel ended",
                sandbox=self._sandbox_id,
                said=self._said.decode("utf-8", "replace"),
            )
        return b""
