"""What a run asks for becomes what is built for it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.running.commands import PAGE, blueprint_of, room_for
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

GIB = 1024 * MIB


@given(st.integers(min_value=1, max_value=16 * GIB))
def test_room_for_inputs_is_enough_and_hardly_more(total: int) -> None:
    room = room_for(total)
    assert total <= room < total + max(MIB, total / 32)


def test_inputs_of_many_sizes_need_few_kinds_of_sandboxes() -> None:
    assert room_for(0) == 0
    assert len({room_for(total) for total in range(1, 256 * MIB, 1000)}) == 128


def test_a_workspace_holds_its_limit_and_the_inputs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(bytes(3 * MIB))
    spec = SandboxSpec(
        command=("python",),
        skill_dir=tmp_path,
        python=sandbox_python(),
        limits=Limits(disk_bytes=2 * MIB),
        inputs={"a": data, "b": data},
    )
    assert 3 * MIB * 2 + PAGE * 2 <= blueprint_of(spec).workspace_bytes - 2 * MIB <= 7 * MIB
