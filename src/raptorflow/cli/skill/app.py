"""`raptorflow skill ...`: one module a command, loaded only when it is called."""

from cyclopts import App

# In the order of a skill's life; module and function, and a line of help.
COMMANDS = {
    "new": ("new:new", "Make a new skill that works as it comes."),
    "dev": ("dev:dev", "Watch a skill: check, test and reload on every save."),
    "validate": ("validate:validate", "Check skills, and how clients take them."),
    "scan": ("scan:scan", "Look for signs of harm, offline."),
    "test": ("cases:run_tests", "Run a skill's cases in the real sandbox."),
    "docs": ("docs:docs", "Write a skill's card and reference page."),
    "pack": ("pack:pack", "Pack a skill into a byte-identical archive."),
    "sign": ("sign:sign", "Sign every file of a skill."),
    "verify": ("verify:verify", "Check a signature; name what drifted."),
    "publish": ("publish:publish", "Publish a skill to a server."),
    "export": ("export:export", "Write skills of a server into one file."),
    "import": ("import_:import_skills", "Import skills from folders, repositories, sites, servers."),
    "resolve": ("resolve:resolve", "Choose versions of what a skill builds on."),
    "install": ("install:install", "Install skills for clients, or on a server."),
    "uninstall": ("uninstall:uninstall", "Take skills away from clients."),
    "lock": ("lock:lock", "Write or verify skills.lock."),
    "update": ("update:update", "Move skills to newer versions that fit."),
}

skill_app = App(name="skill", help="Write, check, test, sign and share a skill.")
for name, (place, words) in COMMANDS.items():
    skill_app.command(f"raptorflow.cli.skill.{place}", name=name, help=words)
