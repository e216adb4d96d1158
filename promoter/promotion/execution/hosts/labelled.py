"""The events of one host: its name is put before each step."""

from dataclasses import replace

from promoter.promotion import progress


def labelled(emit: progress.Listener, host: str) -> progress.Listener:
    """Return a listener that names the host in each event of its steps."""

    def listen(event: progress.Event) -> None:
        match event:
            case progress.StepStarted() | progress.StepNote() | progress.StepDone() | progress.StepFailed():
                event = replace(event, step=f"{host}: {event.step}")
            case progress.Restoring() | progress.LayerProgress():
                event = replace(event, service=f"{host}: {event.service}")
            case _:
                pass
        emit(event)

    return listen
