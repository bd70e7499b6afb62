"""The folder in which a worker's actions find and leave files."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from raptorflow.core.blobs import open_blobs
from raptorflow.orchestrator.files.store import FileStore

AT_ONCE, TIMES = 8, 20


def test_actions_that_begin_at_once_all_have_a_folder() -> None:
    def begin(store: FileStore, together: Barrier) -> Path:
        together.wait()
        return store.workplace()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(TIMES):
            store, together = FileStore(open_blobs("memory:")), Barrier(AT_ONCE)
            begun = [threads.submit(begin, store, together) for _ in range(AT_ONCE)]
            places = [one.result() for one in begun]
            gc.collect()
            assert all(place.is_dir() for place in places)
            assert {place.parent for place in places} == {store.folder()}


def test_its_own_folder_goes_with_it() -> None:
    store = FileStore(open_blobs("memory:"))
    folder = store.folder()
    (store.workplace() / "x").write_text("x")
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
    del store
    gc.collect()
    assert not folder.exists()
