"""`promoter doctor`."""

from promoter.ui.cli.console import say, say_json
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb


@verb
def doctor(common: Common) -> int:
    """Says what is missing on this machine.

    Looks at the pipeline file's engines and registries (with the rights there), at programs, ssh, signing key, clock,
    disk, ledger and CI, all side by side and none for long. A right to push is tried by an upload that is begun and
    taken back; nothing else is touched. Exit code 0 unless something essential is missing.

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
            say(f"{mark}{clean(finding.part)}: {_lines(finding.detail)}{more}")
    good = all(finding.ok or not finding.essential for finding in findings)
    if common.json:
        say_json({"ok": good, "findings": [finding.document() for finding in findings]})
    return 0 if good else 1


def _lines(text: str) -> str:
    """A pipeline file may have several complaints, a line each."""
    from promoter.ui.reports.progress_lines import clean

    return "\n        ".join(clean(line) for line in text.splitlines())
