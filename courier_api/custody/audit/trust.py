"""What an audit takes on trust, from outside the database: public keys, and where the evidence and its keys lie."""

from dataclasses import dataclass
from pathlib import Path

from courier_api.custody.sealing import MasterKeys
from courier_api.custody.stores import Store, open_store
from courier_api.proof.keys import key_id
from courier_api.proof.note import VerifierKey, read_keys


@dataclass(frozen=True, slots=True)
class Trust:
    """The operator's keys and the witnesses'; without `evidence_keys` the evidence itself is not opened."""

    log_keys: tuple[VerifierKey, ...]
    witness_keys: tuple[VerifierKey, ...] = ()
    evidence_store: str = ""
    evidence_keys: Path | None = None  # the folder

    @classmethod
    def read(
        cls, keys: Path, witnesses: Path | None = None, evidence_store: str = "", evidence_keys: Path | None = None
    ) -> "Trust":
        """Read key files; raises OSError for one that is not there, NoteError for one that holds something else."""
        known = read_keys(witnesses.read_text()) if witnesses is not None and witnesses.exists() else []
        return cls(tuple(read_keys(keys.read_text())), tuple(known), evidence_store, evidence_keys)

    @property
    def operator(self) -> dict[str, bytes]:
        """The operator's public keys by their ids in hex."""
        return {key_id(key.public).hex(): key.public for key in self.log_keys}

    @property
    def short(self) -> dict[bytes, bytes]:
        """The same by the 4 bytes with which certificates name them."""
        return {key_id(key.public)[:4]: key.public for key in self.log_keys}

    def open_evidence(self) -> tuple[Store, MasterKeys] | None:
        """The store and the keys to what lies in it; None when evidence is not to be opened."""
        if self.evidence_keys is None:
            return None
        return open_store(self.evidence_store), MasterKeys.read(self.evidence_keys)
