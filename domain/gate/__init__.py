"""The gate: whether a number may be called now, and if not, why and until when.

Everything here is pure. `decision.decide` combines the calling rules of all places that
a number may belong to (`rules`, `hours`), the frequency caps (`caps`), suppression and
consent.
"""
