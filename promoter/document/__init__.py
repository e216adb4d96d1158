"""A YAML text as plain data with positions: `reader.read_document` is the door. Pure: no file, no meaning."""
