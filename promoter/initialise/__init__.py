"""What `promoter init` writes: a first pipeline file, and the workflow of a CI platform. Pure: text and data in, text out."""
