"""The Docker engine behind the `Engine` port: the only room that imports docker.

`connect.open_engine` is the door. What comes in are the port's values, what goes out are the port's values and
errors; the SDK's dictionaries and exceptions stay in here. Registries and BuildKit are other rooms' matters.
"""
