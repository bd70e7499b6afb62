"""The peer of `turn.py`: the same turn as a LangGraph agent graph with its PostgreSQL saver, in one process.

Run by `turn.py` in a venv that has LangGraph; the product's own has not, hence the imports by name.

    python langgraph_turn.py <postgresql url> <turns> <concurrent>
"""

import asyncio
import importlib
import json
import statistics
import sys
import time
from typing import Any

WARM_UP = 20
ANSWER = "The scripted model has read the search results and gives this answer, which is one sentence long."

graphs: Any = importlib.import_module("langgraph.graph")
prebuilt: Any = importlib.import_module("langgraph.prebuilt")
messages: Any = importlib.import_module("langchain_core.messages")
tools: Any = importlib.import_module("langchain_core.tools")
saver: Any = importlib.import_module("langgraph.checkpoint.postgres.aio")
pool: Any = importlib.import_module("psycopg_pool")
rows: Any = importlib.import_module("psycopg.rows")


def search_skills(query: str) -> str:
    """Find skills."""
    return f'{{"skills": [], "query": "{query}"}}'


async def model(state: dict[str, Any]) -> dict[str, Any]:
    """Search first, then answer."""
    if state["messages"][-1].type == "tool":
        return {"messages": [messages.AIMessage(ANSWER)]}
    call = {"name": "search_skills", "args": {"query": "numbers"}, "id": "call-1"}
    return {"messages": [messages.AIMessage("", tool_calls=[call])]}


def agent(checkpointer: Any) -> Any:
    """The graph of LangChain's agents: model, tools, and back until no tool is called."""
    graph = graphs.StateGraph(graphs.MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", prebuilt.ToolNode([tools.tool(search_skills)]))
    graph.add_edge(graphs.START, "model")
    graph.add_conditional_edges("model", prebuilt.tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=checkpointer)


async def turn(graph: Any, thread: str) -> float:
    """One turn's milliseconds."""
    started = time.perf_counter()
    question = {"messages": [messages.HumanMessage("What do the numbers say?")]}
    await graph.ainvoke(question, {"configurable": {"thread_id": thread}})
    return (time.perf_counter() - started) * 1000


async def measure(url: str, turns: int, concurrent: int) -> dict[str, float]:
    """A turn alone, and how many there are in a second."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": rows.dict_row}
    async with pool.AsyncConnectionPool(url, max_size=20, kwargs=options) as connections:
        checkpointer = saver.AsyncPostgresSaver(connections)
        await checkpointer.setup()
        graph = agent(checkpointer)
        alone = [await turn(graph, f"alone-{number}") for number in range(turns + WARM_UP)][WARM_UP:]
        started = time.perf_counter()
        for wave in range(max(1, turns // concurrent)):
            await asyncio.gather(*(turn(graph, f"{wave}-{number}") for number in range(concurrent)))
        elapsed = time.perf_counter() - started
    per_second = max(1, turns // concurrent) * concurrent / elapsed
    return {
        "p50_ms": statistics.median(alone),
        "p95_ms": statistics.quantiles(alone, n=20)[-1],
        "per_second": per_second,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))
