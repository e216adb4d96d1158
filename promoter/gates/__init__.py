"""What must hold before a promotion (gates) and after it (verifications): one rule a file, its shape and its verdict.

Judging is pure: whatever must be looked at in the world has been looked at before, and stands in the Case.
"""
