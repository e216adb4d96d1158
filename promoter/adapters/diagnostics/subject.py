"""The subject of the diagnostics: the pipeline file, as far as it can be read, and the settings."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from promoter.adapters.settings import Settings
from promoter.model.dataclass import dataclass
from promoter.model.images import Repository
from promoter.model.release import Source
from promoter.pipeline.loader import LoadedPipeline
from promoter.pipeline.model import BuiltService, Environment, ToBuild, ToPin


@dataclass(frozen=True)
class Subject:
    """`loaded` is None if there is no readable file. `ledger_url` None is the default."""

    file: Path
    loaded: LoadedPipeline | None
    source: Source
    settings: Settings
    environ: Mapping[str, str]
    ledger_option: str | None = None

    @property
    def directory(self) -> Path:
        return self.file.absolute().parent

    @property
    def name(self) -> str:
        return self.loaded.pipeline.name if self.loaded else ""

    @property
    def ledger_url(self) -> str | None:
        return self.ledger_option or self.settings.ledger or (self.loaded.pipeline.ledger if self.loaded else None)

    @property
    def ledger_token(self) -> str | None:
        return self.settings.over(ledger=self.ledger_option).token_for(self.loaded.pipeline.ledger if self.loaded else None)

    @cached_property
    def environments(self) -> tuple[Environment, ...]:
        if self.loaded is None:
            return ()
        return tuple(self.loaded.resolve(name, self.source, None) for name in self.loaded.pipeline.needs)

    @cached_property
    def builds(self) -> Mapping[str, BuiltService]:
        return self.loaded.builds(self.source) if self.loaded else {}

    @property
    def repositories(self) -> tuple[Repository, ...]:
        """Return all repositories that are pushed to: of builds, and of environments with their own registry."""
        built = [one.repository for one in self.builds.values() if isinstance(one, ToBuild)]
        return tuple(
            dict.fromkeys(
                [*built, *(one for environment in self.environments for one in environment.target_repositories.values())]
            )
        )

    @property
    def pulled(self) -> tuple[Repository, ...]:
        """Return the repositories of images that are not built here."""
        return tuple(dict.fromkeys(one.reference.repository for one in self.builds.values() if isinstance(one, ToPin)))

    @property
    def registries(self) -> tuple[str, ...]:
        return tuple(sorted({repository.host for repository in self.repositories}))

    @property
    def engines(self) -> tuple[str | None, ...]:
        """Return every engine that the pipeline names, and the local one for builds or if none is named."""
        if self.loaded is None:
            return (None,)
        named = [address for environment in self.environments for address in environment.engines]
        return tuple(dict.fromkeys([*([None] if self.registries else []), *named]))
