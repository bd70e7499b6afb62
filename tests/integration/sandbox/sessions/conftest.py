"""Sessions in real sandboxes."""

from tests.sessions import driver as driver
from tests.sessions import make_sessions as make_sessions
from tests.sessions import make_spec as make_spec
from tests.sessions import open_session as open_session
from tests.sessions import session as session
from tests.sessions import session_settings as session_settings
