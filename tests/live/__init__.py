"""Real entities of every domain, driven through the real simulator: what they say, and what becomes of a property set."""

import pytest

pytest.register_assert_rewrite("tests.live.driving")
