"""The options of an environment's strategy, from its settings."""

from promoter.pipeline.front_spec import Front, FrontForm, HoldForm
from promoter.pipeline.problems import Spot
from promoter.pipeline.spec import FRONTED, Settings
from promoter.pipeline.swarm_spec import SwarmForm
from promoter.pipeline.template_filler import Filler


def front_of(settings: Settings, spot: Spot, filler: Filler) -> Front | None:
    """Return the front with the options of its strategy, without routes; None for a strategy that has none."""
    strategy, options = next(iter(settings.strategy.items()))
    if strategy not in FRONTED:
        return None
    form, front = FRONTED[strategy], settings.front or FrontForm()
    chosen = filler.read(form, options, spot / "strategy" / strategy) or form()
    return Front(
        mode=front.mode,
        drain=chosen.drain if chosen.drain is not None else front.drain,
        monitor=chosen.monitor,
        max_hold=chosen.max_hold if isinstance(chosen, HoldForm) else None,
        proxy_protocol=front.proxy_protocol,
        health=front.health,
    )


def swarm_of(settings: Settings, spot: Spot, filler: Filler) -> SwarmForm | None:
    """Return the options of the strategy `swarm`; None for another strategy."""
    if "swarm" not in settings.strategy:
        return None
    return filler.read(SwarmForm, settings.strategy["swarm"], spot / "strategy" / "swarm") or SwarmForm()
