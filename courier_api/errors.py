"""What can go wrong in the domain: plain exceptions with a stable code, no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: a JSON pointer into what was sent, a stable code, and its values for the message."""

    pointer: str
    code: str
    values: Mapping[str, object] = field(default_factory=dict)


class DomainError(Exception):
    """Base of all refusals; `code` names the text in `courier_api.messages`, `values` fill it in."""

    def __init__(self, code: str, *fields: str | FieldError, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields: Sequence[FieldError] = [f if isinstance(f, FieldError) else FieldError(f, code) for f in fields]
        self.values = values


class NotFound(DomainError):
    """There is no such thing, or it is not the caller's: nobody can tell which."""

    def __init__(self, code: str = "not_found", *fields: str | FieldError, **values: object) -> None:
        super().__init__(code, *fields, **values)


class Refused(DomainError):
    """Well understood, and against the rules or the present state."""


class Invalid(DomainError):
    """A value that cannot be right, whatever the state."""


class Alarm(Invalid):
    """Signed bytes that cannot be right: refused, and kept all the same; `evidence` is what the edge writes down then.

    The refusal undoes its transaction, so whoever opened it must keep the evidence in another one.
    """

    def __init__(self, code: str, *fields: str | FieldError, evidence: object = None, **values: object) -> None:
        super().__init__(code, *fields, **values)
        self.evidence = evidence


class NotAllowed(DomainError):
    """Signed in, but not in the role that this needs."""


class NotSignedIn(DomainError):
    """No valid token."""

    def __init__(self, code: str = "not_signed_in") -> None:
        super().__init__(code)


class Stale(DomainError):
    """The caller has seen an older version."""


class Unavailable(DomainError):
    """Something that this needs is not set up or does not answer."""


class TooMany(DomainError):
    """A limit is reached; `retry_after` is in seconds."""

    def __init__(self, code: str, retry_after: int, **values: object) -> None:
        super().__init__(code, **values)
        self.retry_after = retry_after
