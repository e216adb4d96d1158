"""SSH signatures and who may make them: keys, certificates, allowed signers, revocations. Pure."""
