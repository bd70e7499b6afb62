"""`raptorflow skill ...`: one module a command, loaded only when it is called."""

from cyclopts import App

HERE = "raptorflow.cli.skill"

skill_app = App(name="skill", help="Write, check, test, sign and share a skill.")
skill_app.command(f"{HERE}.new:new", name="new", help="Make a new skill that works as it comes.")
skill_app.command(
    f"{HERE}.validate:validate", name="validate", help="Check skills against the specification."
)
skill_app.command(f"{HERE}.scan:scan", name="scan", help="Look for signs of harm in skills, offline.")
skill_app.command(f"{HERE}.pack:pack", name="pack", help="Pack a skill into a byte-identical archive.")
skill_app.command(f"{HERE}.publish:publish", name="publish", help="Publish a skill to a server.")
skill_app.command(f"{HERE}.cases:run_tests", name="test", help="Run a skill's cases in the real sandbox.")
skill_app.command(f"{HERE}.docs:docs", name="docs", help="Write a skill's card and reference page.")
skill_app.command(f"{HERE}.sign:sign", name="sign", help="Sign every file of a skill.")
skill_app.command(f"{HERE}.verify:verify", name="verify", help="Check a signature; name what drifted.")
