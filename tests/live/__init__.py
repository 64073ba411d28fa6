"""Real entities of every domain, controlled through the simulator: what they report, and what a property set does."""

import pytest

pytest.register_assert_rewrite("tests.live.story")
