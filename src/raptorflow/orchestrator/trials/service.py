"""Trials: one action of an installed skill, run without a model to see what it does.

A trial is a run like any other, with the same journal, events, sandbox and artefacts, in a session of its own
whose kind is `trial`. Its message holds the call; the worker lets `language_models/direct.py` answer it.
"""

from raptorflow.accounts.identity import Caller
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.context.entries import printable, without_nul
from raptorflow.orchestrator.errors import ActionNotFound
from raptorflow.orchestrator.events import RunRef
from raptorflow.orchestrator.files.attaching import attach
from raptorflow.orchestrator.files.repository import FilesRepository
from raptorflow.orchestrator.messages.repository import MessagesRepository, NewRun
from raptorflow.orchestrator.messages.service import check_size
from raptorflow.orchestrator.parts import Parts
from raptorflow.orchestrator.schemas import NewTrial
from raptorflow.orchestrator.sessions.repository import TRIAL, SessionsRepository
from raptorflow.orchestrator.sessions.service import new_session


class Trials:
    """Accepts trials."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def begin(self, caller: Caller, trial: NewTrial) -> RunRef:
        """Accept a trial: when this returns, its run is durable.

        Raises:
            NotFound: the skill is not installed, it has no such action, or a file is not the caller's.
            MessageTooLarge: the arguments are too long.
        """
        arguments = dumps(trial.arguments)
        check_size(self._parts.settings, arguments, trial.files)
        actions = await self._parts.skills.actions(caller.org_id, trial.skill)
        if trial.action not in actions:
            raise ActionNotFound(
                f"{trial.skill} has no action {trial.action}.",
                hint=f"It has: {', '.join(actions)}." if actions else "It has instructions alone.",
            )
        call: JsonObject = {"skill": trial.skill, "action": trial.action, "arguments": trial.arguments}
        async with self._parts.transaction(caller) as who:
            row = new_session(who[1], TRIAL, f"{trial.skill}: {trial.action}")
            row.turns = 1
            await SessionsRepository(*who).begin(row)
            ref = RunRef(new_id(), row.id, caller.org_id)
            files = await attach(FilesRepository(*who), row.id, trial.files)
            text = printable(f"{trial.skill} {trial.action} {arguments}")
            content = without_nul({"text": text, "files": files, "call": call})
            await MessagesRepository(*who).accept(NewRun(ref, row.turns, str(ref.run_id), content))
        await self._parts.news.accepted(ref)
        return ref
