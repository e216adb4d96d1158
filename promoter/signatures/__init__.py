"""SSH signatures, and who may make them: pure values in, a verdict out. No file, no clock, no process."""
