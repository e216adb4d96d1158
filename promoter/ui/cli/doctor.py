"""`promoter doctor`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb


@verb
def doctor(common: Common) -> int:
    """Check what is missing on this machine.

    Checks the pipeline file's engines and registries (with permissions), programs, ssh, signing key, clock, disk,
    ledger and CI. The permission to push is checked with an upload that is started and cancelled; nothing else is
    changed. Exit code 0 unless something essential is missing.

    \b
    Examples:
      promoter doctor
      promoter doctor --json | jq '.findings[] | select(.ok | not)'
    """
    from promoter.adapters.diagnostics.run import rounds
    from promoter.ui.reports.progress_lines import clean

    findings = []
    for finding in rounds(common.pipeline, ledger=common.ledger, actor=common.actor):
        findings.append(finding)
        if not common.json and not (common.quiet and finding.ok):
            mark = "ok      " if finding.ok else "MISSING " if finding.essential else "missing "
            more = f"\n        {clean(finding.remedy)}" if finding.remedy else ""
            print_text(f"{mark}{clean(finding.part)}: {_lines(finding.detail)}{more}")
    good = all(finding.ok or not finding.essential for finding in findings)
    if common.json:
        print_json({"ok": good, "findings": [finding.document() for finding in findings]})
    return 0 if good else 1


def _lines(text: str) -> str:
    """Indent each line: a pipeline file may have several problems, one a line."""
    from promoter.ui.reports.progress_lines import clean

    return "\n        ".join(clean(line) for line in text.splitlines())
