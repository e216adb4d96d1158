"""Makes the fixtures of jobs known here. They are in fixtures.py, because tests/live uses them too."""

from tests.ci import fixtures

shared, wheelhouse, tool_cache, job = fixtures.shared, fixtures.wheelhouse, fixtures.tool_cache, fixtures.job
