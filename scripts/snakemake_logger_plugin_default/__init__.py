"""`snakemake --logger default`: what Snakemake itself prints, whatever a profile asks for."""

import sys
from logging import LogRecord

from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.base import LogHandlerBase


class LogHandler(LogHandlerBase):
    """Snakemake's own handler, which it makes where no plugin writes to the terminal."""

    def __post_init__(self) -> None:
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self._handler = ColorizingTextHandler(nocolor=self.common_settings.nocolor, stream=stream)

    def emit(self, record: LogRecord) -> None:
        """Print the record as Snakemake does."""
        self._handler.setFormatter(self.formatter)
        self._handler.emit(record)

    @property
    def writes_to_stream(self) -> bool:
        """It does."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """It does not."""
        return False

    @property
    def has_filter(self) -> bool:
        """Snakemake's filter is used, which knows --quiet."""
        return False

    @property
    def has_formatter(self) -> bool:
        """Snakemake's formatter is used."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """It does not."""
        return False
