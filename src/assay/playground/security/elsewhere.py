"""The OpenID Connect provider of a server, as its configuration names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.playground.security.requests import Gate

if TYPE_CHECKING:
    from assay.playground.accounts.oidc import OidcClient

START_PATH, RETURN_PATH = "/sign-in/elsewhere", "/sign-in/elsewhere/return"


def provider_of(gate: Gate) -> OidcClient | None:
    """A client of the configured provider; None when there is none. Make it once: it keeps the provider's keys.

    Raises:
        MachineError: when the issuer is not https.
    """
    # Signatures take 0.1 s to import, which a server without a provider should not cost.
    from assay.playground.accounts.oidc import OidcClient

    oidc = gate.config.oidc
    if oidc is None or gate.config.base_url is None:
        return None
    back = f"{gate.config.base_url}{RETURN_PATH}"
    return OidcClient(oidc.issuer, oidc.client_id, oidc.client_secret, back, gate.secret)
