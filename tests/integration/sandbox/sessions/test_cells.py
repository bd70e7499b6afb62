"""Cells share their state, show their last value, and tell of their errors as Python does."""

from pathlib import Path

from tests.sessions import Open

from raptorflow.sandbox.sessions.session import SandboxSession


async def test_names_imports_functions_and_the_working_folder_stay(session: SandboxSession) -> None:
    await session.execute("import os\nx = 20\ndef double(n):\n    return n * 2\nos.mkdir('w'); os.chdir('w')")
    cell = await session.execute("x = double(x) + 2\n(x, os.getcwd())")
    assert (cell.status, cell.result) == ("ok", "(42, '/workspace/w')")
    assert (cell.number, cell.restarted, cell.message) == (2, False, None)


async def test_printing_and_the_last_value_are_told_apart(session: SandboxSession) -> None:
    cell = await session.execute("import sys\nprint('out')\nprint('err', file=sys.stderr)\n'shown'")
    assert (cell.stdout, cell.stderr, cell.result) == (b"out\n", b"err\n", "'shown'")
    silent = await session.execute("y = 1")
    assert (silent.stdout, silent.stderr, silent.result) == (b"", b"", None)
    assert (await session.execute("")).status == "ok"
    assert (await session.execute("None")).result is None


async def test_every_cell_gets_what_it_has_printed_to_the_last_byte(session: SandboxSession) -> None:
    for size in (1, 4095, 65536, 65537, 200_000):
        cell = await session.execute(f"import sys\n_ = sys.stdout.write('a' * {size} + '\\0')")
        assert cell.stdout == b"a" * size + b"\0"


async def test_programs_that_a_cell_starts_print_into_it(session: SandboxSession) -> None:
    code = "import subprocess\nsubprocess.run(['sh', '-c', 'echo from below; exit 4']).returncode"
    cell = await session.execute(code)
    assert (cell.stdout, cell.result) == (b"from below\n", "4")


async def test_long_output_keeps_its_head_and_its_tail(session: SandboxSession) -> None:
    cell = await session.execute("print('first'); print('x' * 3_000_000); print('last')")
    assert cell.stdout.startswith(b"first\n")
    assert cell.stdout.endswith(b"last\n")
    assert (len(cell.stdout), cell.stdout_truncated) == (256 * 1024, True)


async def test_a_long_result_is_cut_and_said_to_be(session: SandboxSession) -> None:
    cell = await session.execute("'x' * 100_000")
    assert (len(cell.result or ""), cell.result_truncated) == (64 * 1024, True)


async def test_a_traceback_shows_the_cells_lines_and_none_of_ours(session: SandboxSession) -> None:
    await session.execute("import json\ndef broken():\n    return json.loads('{')  # here")
    cell = await session.execute("1\nbroken()")
    assert cell.error
    assert (cell.status, cell.error.name) == ("error", "JSONDecodeError")
    text = "\n".join(cell.error.traceback)
    assert '<cell 2>", line 2, in <module>\n    broken()' in text
    assert "return json.loads('{')  # here" in text
    assert "/usr/lib" not in text
    assert "opt/raptorflow" not in text


async def test_causes_groups_and_syntax_errors_are_told_too(session: SandboxSession) -> None:
    chained = "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error"
    cell = await session.execute(chained)
    assert cell.error
    assert "ZeroDivisionError" in "\n".join(cell.error.traceback)
    group = await session.execute("raise ExceptionGroup('both', [ValueError('v'), TypeError('t')])")
    assert group.error
    assert "ValueError: v" in "\n".join(group.error.traceback)
    wrong = await session.execute("ok = 1\nif :")
    assert wrong.error
    assert (wrong.error.name, wrong.error.traceback[0]) == ("SyntaxError", '  File "<cell 3>", line 2')
    assert (await session.execute("ok")).error is not None


async def test_cells_may_await_and_their_tasks_go_on(session: SandboxSession) -> None:
    code = (
        "import asyncio\nasync def later():\n    await asyncio.sleep(0.01)\n    return 7\n"
        "task = asyncio.create_task(later())"
    )
    assert (await session.execute(code)).error is not None  # no loop runs in a cell that does not await
    begun = await session.execute(
        "await asyncio.sleep(0)\ntask = asyncio.create_task(later())\nawait later()"
    )
    assert begun.result == "7"
    assert (await session.execute("await task")).result == "7"


async def test_classes_of_cells_can_be_pickled_and_sent_to_other_processes(session: SandboxSession) -> None:
    await session.execute("import pickle\nclass Point:\n    pass\ndef square(n):\n    return n * n")
    assert "Point" in ((await session.execute("pickle.loads(pickle.dumps(Point()))")).result or "")
    forked = await session.execute(
        "import multiprocessing\ncontext = multiprocessing.get_context('fork')\n"
        "ours, theirs = context.Pipe()\nchild = context.Process(target=lambda: theirs.send(square(5)))\n"
        "child.start(); child.join(); ours.recv()"
    )
    assert forked.result == "25"


async def test_cells_see_the_skill_its_inputs_and_its_variables(open_session: Open, tmp_path: Path) -> None:
    (tmp_path / "skill").mkdir()
    (tmp_path / "skill" / "facts.txt").write_text("known")
    (tmp_path / "data.csv").write_text("a,b")
    session = await open_session(inputs={"data.csv": tmp_path / "data.csv"}, env={"COLOUR": "red"})
    code = "import os\n[open('/skill/facts.txt').read(), open('in/data.csv').read(), os.environ['COLOUR']]"
    assert (await session.execute(code)).result == "['known', 'a,b', 'red']"


async def test_a_cell_reads_nothing_and_finds_its_own_folder_first(session: SandboxSession) -> None:
    await session.put("mine.py", b"value = 5\n")
    cell = await session.execute("import sys, mine\n(sys.stdin.read(), mine.value, __name__)")
    assert cell.result == "('', 5, '__main__')"
    assert (await session.execute("import guest")).status == "error"


async def test_reset_forgets_names_and_keeps_files(session: SandboxSession) -> None:
    await session.execute("x = 1\nopen('kept.txt', 'w').write('kept')")
    await session.reset()
    cell = await session.execute("('x' in globals(), open('kept.txt').read())")
    assert (cell.result, cell.restarted) == ("(False, 'kept')", False)
