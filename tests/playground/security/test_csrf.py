from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .conftest import GOOD, Site

Make = Callable[..., Site]


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_changed_without_a_token(site: Make, signed_in: bool, method: str) -> None:
    made = site()
    if signed_in:
        made.sign_in()
    assert made.client.request(method, "/change").status_code == 403
    for wrong in ("x", "0" * 64):
        assert made.client.request(method, "/change", headers={"x-csrf-token": wrong}).status_code == 403
    for wrong in ("", "\xe9", "0" * 64):
        assert made.client.request(method, "/change", data={"csrf": wrong}).status_code == 403
    good = {"x-csrf-token": made.csrf()}
    assert made.client.request(method, "/change", headers=good).status_code == 200


def test_a_token_in_a_form_reaches_the_page_whole(site: Make) -> None:
    made = site()
    made.sign_in()
    form = {"x": "1" * 100_000, "csrf": made.csrf(), "y": "ä"}
    answer = made.client.post("/change", data=form)
    assert answer.status_code == 200 and answer.json()["bytes"] > 100_000


def test_a_form_with_files_has_the_token_first(site: Make) -> None:
    made = site()
    made.sign_in()
    token, files = made.csrf(), {"file": ("tree.zip", b"x" * 3_000_000)}
    answer = made.client.post("/submit", data={"csrf": token}, files=files)
    assert answer.status_code == 200 and answer.json()["bytes"] > 3_000_000
    assert made.client.post("/submit", data={"csrf": "0" * 64}, files=files).status_code == 403
    assert made.client.post("/submit", files=files).status_code == 403
    boundary = "xyz"
    later = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
        f'--{boundary}\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n{token}\r\n--{boundary}--\r\n'
    )
    header = {"content-type": f"multipart/form-data; boundary={boundary}"}
    assert made.client.post("/submit", content=later, headers=header).status_code == 403


def test_a_form_that_comes_byte_by_byte(site: Make) -> None:
    made = site()
    made.sign_in()
    body = (
        f'--xyz\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{made.csrf()}\r\n--xyz\r\n'
        f'Content-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--xyz--\r\n'
    ).encode()

    def drops() -> Iterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    header = {"content-type": 'multipart/form-data; boundary="xyz"'}
    answer = made.client.post("/submit", content=drops(), headers=header)
    assert (answer.status_code, answer.json()) == (200, {"bytes": len(body)})


def test_a_token_in_json_or_the_address_does_not_count(site: Make) -> None:
    made = site()
    made.sign_in()
    token = made.csrf()
    assert made.client.post("/change", json={"csrf": token}).status_code == 403
    assert made.client.post(f"/change?csrf={token}").status_code == 403
    assert (
        made.client.post("/change", content=f"csrf={token}", headers={"content-type": "text/plain"}).status_code == 403
    )


def test_another_sessions_token_does_not_hold(site: Make) -> None:
    made = site()
    made.sign_in("Maria")
    theirs = made.csrf()
    made.client.cookies.clear()
    made.sign_in("Ada")
    assert made.client.post("/change", headers={"x-csrf-token": theirs}).status_code == 403


def test_a_token_from_before_signing_in_does_not_hold_after(site: Make) -> None:
    made = site()
    before = made.csrf()
    made.sign_in()
    assert made.client.post("/change", headers={"x-csrf-token": before}).status_code == 403


def test_signing_in_needs_a_token_of_this_browser(site: Make) -> None:
    """Nobody is signed in to an account of the attacker's."""
    made = site()
    attackers = made.csrf()
    made.client.cookies.clear()
    form = {"csrf": attackers, "name": "Ada", "password": GOOD}
    assert made.client.post("/sign-in", data=form).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "https://testserver"},
        {"origin": "http://testserver:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
    ],
)
def test_another_origin_is_refused_even_with_the_token(site: Make, headers: dict[str, str]) -> None:
    made = site()
    made.sign_in()
    answer = made.client.post("/change", headers={"x-csrf-token": made.csrf(), **headers})
    assert answer.status_code == 403 and "another site" in answer.text


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "http://testserver"}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
)
def test_our_own_origin_is_not(site: Make, headers: dict[str, str]) -> None:
    made = site()
    made.sign_in()
    assert made.client.post("/change", headers={"x-csrf-token": made.csrf(), **headers}).status_code == 200


def test_behind_a_proxy_the_base_url_is_our_origin(site: Make) -> None:
    made = site(base_url="https://testserver")
    token = made.csrf()
    answer = made.client.post("/change", headers={"x-csrf-token": token, "origin": "https://testserver"})
    assert answer.status_code == 200


def test_a_bearer_token_needs_no_other(site: Make) -> None:
    made = site()
    header = {"authorization": f"Bearer {made.token()}"}
    assert made.client.post("/change", headers=header).json()["via"] == "token"


def test_a_wrong_bearer_token_does_not_open_the_way_for_a_cookie(site: Make) -> None:
    made = site()
    made.sign_in()
    assert made.client.post("/change", headers={"authorization": "Bearer x"}).status_code == 401


def test_a_program_on_the_own_machine(site: Make) -> None:
    """No browser sends such a header to another site without asking first, and it is never allowed."""
    made = site(single_user=True, host="localhost")
    assert made.client.post("/change").status_code == 403
    assert made.client.post("/change", headers={"x-assay-client": "1"}).json()["via"] == "local"
    cross = {"x-assay-client": "1", "origin": "https://evil.example"}
    assert made.client.post("/change", headers=cross).status_code == 403
    made.csrf()
    assert made.client.post("/change", headers={"x-assay-client": "1"}).status_code == 403, "it has cookies"
    preflight = made.client.options("/change", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in preflight.headers


def test_a_cookie_is_made_for_pages_with_a_form_only(site: Make) -> None:
    made = site()
    assert "set-cookie" not in made.client.get("/me").headers
    answer = made.client.get("/form")
    assert answer.headers["set-cookie"].startswith("assay-form=")
    assert answer.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in made.client.get("/form").headers, "it has one"


def test_a_refusal_to_a_program_is_json_and_to_people_a_page(site: Make) -> None:
    made = site()
    assert made.client.post("/change", headers={"accept": "application/json"}).json()["status"] == 403
    assert "<h1>" in made.client.post("/change", headers={"accept": "text/html"}).text
