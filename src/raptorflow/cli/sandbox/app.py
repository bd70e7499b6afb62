"""`raptorflow sandbox ...`: one module a command, loaded only when it is called."""

from cyclopts import App

# Module and function, and a line of help.
COMMANDS = {
    "check": ("check:check", "What each sandbox holds on this machine, and what mends it."),
    "attack": ("attack:attack", "Attack a sandbox in every way that is known, and say what held."),
}

sandbox_app = App(name="sandbox", help="Check sandboxes, and attack them.")
sandbox_app.command("raptorflow.cli.sandbox.image:image_app", name="image")
sandbox_app.command("raptorflow.cli.sandbox.audit:audit_app", name="audit")
for name, (place, words) in COMMANDS.items():
    sandbox_app.command(f"raptorflow.cli.sandbox.{place}", name=name, help=words)
