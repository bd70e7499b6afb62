"""Every attack, in the order of the list that it follows."""

from raptorflow.sandbox.attacks.catalogue.artefacts import ARTEFACTS
from raptorflow.sandbox.attacks.catalogue.channel import CHANNEL
from raptorflow.sandbox.attacks.catalogue.clocks import CLOCKS
from raptorflow.sandbox.attacks.catalogue.configuration import CONFIGURATION
from raptorflow.sandbox.attacks.catalogue.detours import DETOURS
from raptorflow.sandbox.attacks.catalogue.disk import DISK
from raptorflow.sandbox.attacks.catalogue.files import FILES
from raptorflow.sandbox.attacks.catalogue.floods import FLOOD_ATTACKS
from raptorflow.sandbox.attacks.catalogue.lifecycle import LIFECYCLE
from raptorflow.sandbox.attacks.catalogue.memory import BOMBS
from raptorflow.sandbox.attacks.catalogue.network import NETWORK
from raptorflow.sandbox.attacks.catalogue.privileges import PRIVILEGES
from raptorflow.sandbox.attacks.catalogue.secrets import SECRETS
from raptorflow.sandbox.attacks.catalogue.surroundings import SURROUNDINGS
from raptorflow.sandbox.attacks.model import Attack

# Resources, files, privileges, network, secrets, lifecycle: how many of each there must be.
COUNTS = {"R": 25, "F": 21, "P": 21, "N": 26, "S": 10, "L": 12}
IDS = tuple(f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1))


def _order(attack: Attack) -> int:
    return IDS.index(attack.attack_id)


GROUPS = (
    *(*BOMBS, *FLOOD_ATTACKS, *CLOCKS, *DISK, *FILES, *ARTEFACTS, *PRIVILEGES, *SURROUNDINGS),
    *(*NETWORK, *DETOURS, *SECRETS, *CONFIGURATION, *LIFECYCLE, *CHANNEL),
)
ATTACKS: tuple[Attack, ...] = tuple(sorted(GROUPS, key=_order))
