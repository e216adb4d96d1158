"""What `promoter doctor` looks at: each part of the world that promoter leans on, a file each, and what is said of it.

Nothing is changed, and nobody is waited for long. It asks adapters as they are, because what a port hides is what it
must look at; whether what it found will do is decided beside each look, on values alone.
"""
