"""Output of a run: metrics, a manifest, figures."""

from jaxvae.report.manifest import manifest as manifest
from jaxvae.report.metrics import MetricsWriter as MetricsWriter
from jaxvae.report.metrics import read_metrics as read_metrics
from jaxvae.report.metrics import write_json as write_json
