"""`AgentOrchestrator`: conversations, runs, trials and files. Each call is one transaction."""

from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.core.valkey import Valkey
from raptorflow.orchestrator.files.service import Files
from raptorflow.orchestrator.files.store import FileStore
from raptorflow.orchestrator.messages.service import Messages
from raptorflow.orchestrator.parts import Parts
from raptorflow.orchestrator.ports import SkillSource
from raptorflow.orchestrator.runlog.service import RunLog
from raptorflow.orchestrator.sessions.service import Sessions
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.board import SessionBoard
from raptorflow.orchestrator.streams.hub import EventHub
from raptorflow.orchestrator.streams.news import RunNews
from raptorflow.orchestrator.streams.publisher import Publisher
from raptorflow.orchestrator.streams.source import JournaledEvents
from raptorflow.orchestrator.trials.service import Trials


class AgentOrchestrator:
    """The facade of the orchestrator.

    Args:
        database: sessions, runs, transcripts and events.
        valkey: wake-up calls and live events.
        blobs: files.
        settings: limits and the model.
        skills: the installed skills.

    Attributes:
        sessions: conversations.
        messages: what is sent into them.
        runs: what came of it.
        trials: actions run without a model.
        files: uploads and artefacts; `store` has their content.
        hub: tails runs' events.
        board: the open windows.
    """

    def __init__(
        self,
        database: Database,
        valkey: Valkey,
        blobs: BlobStore,
        settings: OrchestratorSettings,
        skills: SkillSource,
    ) -> None:
        self.settings = settings
        self.database = database
        self.valkey = valkey
        self.store = FileStore(blobs, settings.cache_dir)
        self.hub = EventHub(valkey, JournaledEvents(database), settings)
        self.board = SessionBoard(valkey)
        news = RunNews(valkey, self.board, Publisher(valkey, settings))
        parts = Parts(database, self.store, skills, settings, news)
        self.sessions = Sessions(parts)
        self.messages = Messages(parts)
        self.runs = RunLog(parts)
        self.trials = Trials(parts)
        self.files = Files(parts)

    async def close(self) -> None:
        """Stop tailing; sockets have been closed by the server before."""
        await self.hub.close()
        await self.board.close()
