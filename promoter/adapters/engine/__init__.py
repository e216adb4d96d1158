"""The Docker Engine behind the `Engine` port; the only package that imports the Docker SDK.

`connect.open_engine` opens one. Values of the port come in and go out; the SDK's dictionaries and exceptions stay inside.
"""
