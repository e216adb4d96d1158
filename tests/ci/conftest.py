"""Makes the fixtures of jobs known here. What they are stands in fixtures.py: tests/live uses them too."""

from tests.ci import fixtures

shared, wheelhouse, tool_cache, job = fixtures.shared, fixtures.wheelhouse, fixtures.tool_cache, fixtures.job
