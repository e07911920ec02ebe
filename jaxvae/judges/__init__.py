"""Judges of codes and images: probes, recognition of decoded images, and distances between distributions."""

from jaxvae.judges.aggregate import knn_entropy as knn_entropy
from jaxvae.judges.aggregate import knn_kl as knn_kl
from jaxvae.judges.aggregate import squared_mmd as squared_mmd
from jaxvae.judges.rows import edit_distance as edit_distance
from jaxvae.judges.rows import hamming as hamming
