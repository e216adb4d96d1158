"""`promoter doctor`."""

from promoter.cli.common import Common, verb
from promoter.cli.output import say, say_json


@verb
def doctor(common: Common) -> int:
    """Says what is missing on this machine.

    Looks at the pipeline file's engines and registries, at the programs beside them, at the disk and at the ledger.
    Exit code 0 unless something essential is missing.

    \b
    Examples:
      promoter doctor
      promoter doctor --json | jq '.findings[] | select(.ok | not)'
    """
    from promoter.cli.checkup import checkup

    findings = []
    for finding in checkup(common):
        findings.append(finding)
        if not common.json and not (common.quiet and finding.ok):
            mark = "ok      " if finding.ok else "MISSING " if finding.essential else "missing "
            say(f"{mark}{finding.part}: {finding.detail}" + (f"\n        {finding.remedy}" if finding.remedy else ""))
    good = all(finding.ok or not finding.essential for finding in findings)
    if common.json:
        say_json({"ok": good, "findings": [finding.document() for finding in findings]})
    return 0 if good else 1
