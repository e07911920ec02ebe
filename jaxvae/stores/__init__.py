"""Run directories and data in object stores, `s3://BUCKET/...` and `gs://BUCKET/...`.

Stores have no rename, no append and no lock, on which a run directory on a disk relies: all work is done in a copy on
this machine, which is uploaded after each checkpoint, so that no other module has to know of stores. Of two writers one
is refused by conditional writes, which obstore has for both kinds of store.
"""

from jaxvae.stores.copies import copies_of, named, reading, training
from jaxvae.stores.data import fetched
from jaxvae.stores.store import StoreError, address

__all__ = ["StoreError", "address", "copies_of", "fetched", "named", "reading", "training"]
