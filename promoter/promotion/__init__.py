"""One release entering environments: build, plan, admission, execution. A promotion reads downwards."""
