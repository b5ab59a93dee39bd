"""A small OpenID Connect provider on a port of this machine, which signs with a key of its own and can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from joserfc import jwk, jwt

CLIENT, SECRET = "assay-tests", "s&cret/with=signs"
Claims = dict[str, Any]


class Provider:
    """The provider; its attributes say how it behaves."""

    def __init__(self) -> None:
        self.keys = {
            "one": jwk.RSAKey.generate_key(2048, {"kid": "one"}),
            "two": jwk.RSAKey.generate_key(2048, {"kid": "two"}),
        }
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.issuer = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.reset()
        config = uvicorn.Config(self._app(), log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self.listener]}, daemon=True)

    def reset(self) -> None:
        """Behave well."""
        self.codes: dict[str, dict[str, str]] = {}
        self.change: Callable[[Claims], Claims] = dict
        self.published = ["one"]
        self.sign: Callable[[Claims], str] = self.signed
        self.discovery: dict[str, Any] = {}
        self.answer: Response | None = None
        self.key_reads = 0
        self.methods: list[str] | None = ["client_secret_basic"]

    def signed(self, claims: Claims, key: str = "one", alg: str = "RS256", kid: str | None = None) -> str:
        return jwt.encode({"alg": alg, "kid": kid or key}, claims, self.keys[key], algorithms=[alg])

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.listener.close()

    def authorize(self, url: str) -> dict[str, str]:
        """What a browser does: asks for a code, and is sent back with it."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT and "openid" in asked["scope"].split()
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **({"token_endpoint_auth_methods_supported": self.methods} if self.methods else {}),
                **self.discovery,
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            self.key_reads += 1
            shared = {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ", "kid": "shared"}
            return {"keys": [shared, *(self.keys[name].as_dict(private=False) for name in self.published)]}

        @app.post("/token")
        async def token(request: Request) -> Response:
            if self.answer is not None:
                return self.answer
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            asked = self.codes.pop(form.get("code", ""), None)
            if asked is None or not self._authentic(request, form):
                return JSONResponse({"error": "invalid_grant"}, 400)
            proof = (
                base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
            )
            if proof != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            now = int(time.time())
            claims: Claims = {
                "iss": self.issuer,
                "sub": "42",
                "aud": CLIENT,
                "exp": now + 300,
                "iat": now,
                "nonce": asked["nonce"],
                "preferred_username": "grace",
                "name": "Grace Hopper",
                "email": "grace@example.org",
                "email_verified": True,
            }
            return JSONResponse(
                {"id_token": self.sign(self.change(claims)), "access_token": "x", "token_type": "Bearer"}
            )

        return app

    def _authentic(self, request: Request, form: dict[str, str]) -> bool:
        if self.methods == ["client_secret_post"]:
            return form.get("client_secret") == SECRET
        pair = base64.b64encode(b"assay-tests:s%26cret%2Fwith%3Dsigns").decode()
        return request.headers.get("authorization") == f"Basic {pair}" and "client_secret" not in form
