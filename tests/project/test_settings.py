"""Settings: read and checked once, every problem said at once, and no secret ever printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import OWN_AUTHORIZE_PARAMS, Settings, SettingsError, load
from tests.support.settings import REQUIRED, problems, read


def test_the_required_ones_are_enough_and_the_rest_has_the_contracts_defaults() -> None:
    settings = read()

    assert settings.issuer == "https://tenant.eu.auth0.com/"
    assert settings.scope is None  # what the provider supports decides
    assert settings.app_base_url == "http://localhost:3000"
    assert settings.redirect_uri == "http://localhost:3000/callback"
    assert settings.session_idle_seconds == 86400
    assert settings.session_absolute_seconds == 604800
    assert settings.trusted_proxy_hops == 0
    assert settings.authorize_params == {}
    assert settings.audience is settings.organization is settings.api_base_url is None
    assert settings.contacts_api_base_url is settings.contacts_audience is None
    assert settings.session_redis_url is settings.client_signing_key is None


def test_with_nothing_set_every_required_one_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, Settings)

    named = [line.split()[0] for line in caught.value.args]
    assert sorted(named) == sorted(REQUIRED)


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_required_one_that_is_empty_counts_as_not_set(missing: str) -> None:
    [line] = problems(**{missing: "  "})

    assert line.startswith(f"{missing} is not set. Write: ")


def test_an_optional_one_that_is_empty_counts_as_not_set() -> None:
    settings = read(AUTH0_SCOPE="", SESSION_IDLE_SECONDS="", APP_BASE_URL=" ", AUTH0_AUDIENCE="")

    assert settings == read()


BAD = {
    "picture host with a path": ("PICTURE_HOSTS", "s.gravatar.com/avatar"),
    "picture host as a URL": ("PICTURE_HOSTS", "https://s.gravatar.com"),
    "picture host with a wildcard": ("PICTURE_HOSTS", "s.gravatar.com,*.example.com"),
    "picture host that ends the policy": ("PICTURE_HOSTS", "s.gravatar.com; script-src *"),
    "domain with a space": ("AUTH0_DOMAIN", "tenant eu auth0.com"),
    "domain with a path": ("AUTH0_DOMAIN", "tenant.eu.auth0.com/authorize"),
    "domain with a port that is none": ("AUTH0_DOMAIN", "tenant.eu.auth0.com:99999"),
    "issuer by http, not loopback": ("AUTH0_DOMAIN", "http://tenant.eu.auth0.com/"),
    "issuer by http on a private network": ("AUTH0_DOMAIN", "http://192.168.1.2/"),
    "issuer by ftp": ("AUTH0_DOMAIN", "ftp://tenant.eu.auth0.com/"),
    "issuer with a password": ("AUTH0_DOMAIN", "https://me:pass@tenant.eu.auth0.com/"),
    "issuer with a query": ("AUTH0_DOMAIN", "https://tenant.eu.auth0.com/?a=b"),
    "issuer with a fragment": ("AUTH0_DOMAIN", "https://tenant.eu.auth0.com/#a"),
    "issuer with half an address": ("AUTH0_DOMAIN", "https://[::1/"),
    "client id with a space": ("AUTH0_CLIENT_ID", "the client"),
    "secret with a line break": ("AUTH0_CLIENT_SECRET", "one\ntwo"),
    "audience with a space": ("AUTH0_AUDIENCE", "appointments api"),
    "scope without openid": ("AUTH0_SCOPE", "profile email"),
    "scope with a quote": ("AUTH0_SCOPE", 'openid "email"'),
    "organization with a space": ("AUTH0_ORGANIZATION", "harbour clinic"),
    "parameters that are no form": ("AUTH0_AUTHORIZE_PARAMS", "prompt"),
    "a parameter twice": ("AUTH0_AUTHORIZE_PARAMS", "prompt=login&prompt=consent"),
    "max_age in words": ("AUTH0_AUTHORIZE_PARAMS", "max_age=soon"),
    "max_age in superscript": ("AUTH0_AUTHORIZE_PARAMS", "max_age=%C2%B2"),
    "max_age beyond all clocks": ("AUTH0_AUTHORIZE_PARAMS", f"max_age={'9' * 5000}"),
    "api that is no URL": ("API_BASE_URL", "api.example.com"),
    "api by http on a public host": ("API_BASE_URL", "http://api.example.com"),
    "api by http at a public address": ("API_BASE_URL", "http://[2606:4700::1111]:8000"),
    "contacts api that is no URL": ("CONTACTS_API_BASE_URL", "://"),
    "app address with a fragment": ("APP_BASE_URL", "https://app.example.com/#top"),
    "app address with an empty fragment": ("APP_BASE_URL", "https://app.example.com#"),
    "app address with a path": ("APP_BASE_URL", "https://app.example.com/app"),
    "app address with a query": ("APP_BASE_URL", "https://app.example.com?a=b"),
    "app address without scheme": ("APP_BASE_URL", "app.example.com"),
    "app address with a bad port": ("APP_BASE_URL", "https://app.example.com:http"),
    "app address with port 0": ("APP_BASE_URL", "https://app.example.com:0"),
    "app address with half an IPv4": ("APP_BASE_URL", "http://127.1:3000"),
    "app address with a number as host": ("APP_BASE_URL", "http://2130706433:3000"),
    "app address with a hexadecimal host": ("APP_BASE_URL", "http://0x7f.1"),
    "app address with zeros in front": ("APP_BASE_URL", "http://127.0.0.01:3000"),
    "app address percent-encoded": ("APP_BASE_URL", "http://b%C3%BCcher.example"),
    "app address with a zone": ("APP_BASE_URL", "http://[fe80::1%25eth0]"),
    "app address with a sign": ("APP_BASE_URL", "https://a;b.example"),
    "app address for all hosts": ("APP_BASE_URL", "https://*.example.com"),
    "app address with an empty label": ("APP_BASE_URL", "https://a..example.com"),
    "app address with letters behind an IPv6": ("APP_BASE_URL", "http://[::1]x:3000"),
    "app address with a label too long": ("APP_BASE_URL", f"https://{'a' * 64}.example"),
    "app address with a dot at the end": ("APP_BASE_URL", "https://app.example.com."),
    "domain with an empty label": ("AUTH0_DOMAIN", "tenant..auth0.com"),
    "domain that is half an IPv4": ("AUTH0_DOMAIN", "127.1"),
    "issuer at port 0": ("AUTH0_DOMAIN", "https://id.example.com:0/"),
    "issuer with a sign in its host": ("AUTH0_DOMAIN", "https://a<b.example/"),
    "api at a public address as a number": ("API_BASE_URL", "http://134744072"),
    "api with a zone": ("API_BASE_URL", "http://[fe80::1%25eth0]:8000"),
    "issuer with a control character": ("AUTH0_DOMAIN", "https://id.example.com/\x7f"),
    "a parameter without a name": ("AUTH0_AUTHORIZE_PARAMS", "=x"),
    "a parameter with half an escape": ("AUTH0_LOGOUT_PARAMS", "a=%zz"),
    "a parameter with a control character": ("AUTH0_AUTHORIZE_PARAMS", "a=%00"),
    "more hosts than a header holds": ("PICTURE_HOSTS", ",".join(["cdn.example.com"] * 20)),
    "key of 12 characters": ("APP_SECRET_KEY", "twelve-chars"),
    "key of 31 characters": ("APP_SECRET_KEY", "k" * 31),
    "a short key among long ones": ("APP_SECRET_KEY", f"{'k' * 40},short"),
    "nothing but commas": ("APP_SECRET_KEY", ",,"),
    "store of another kind": ("SESSION_REDIS_URL", "postgres://localhost/0"),
    "store without a socket": ("SESSION_REDIS_URL", "unix://redis.sock"),
    "store at two hosts": ("SESSION_REDIS_URL", "redis://one,two:6379"),
    "store with two databases": ("SESSION_REDIS_URL", "redis://localhost:6379/0/1"),
    "store with a fragment": ("SESSION_REDIS_URL", "redis://localhost#1"),
    "sentinels with two services": ("SESSION_REDIS_URL", "redis+sentinel://one:26379/s/t/1"),
    "a cluster with a service": ("SESSION_REDIS_URL", "redis+cluster://one:6379/s/"),
    "store without a host": ("SESSION_REDIS_URL", "redis://"),
    "store at a port too high": ("SESSION_REDIS_URL", "redis://localhost:99999"),
    "store with a file that is not there": ("SESSION_REDIS_URL", "rediss://h?ssl_ca_certs=/nope"),
    "store with an odd check": ("SESSION_REDIS_URL", "rediss://h?ssl_cert_reqs=maybe"),
    "store with a database below nothing": ("SESSION_REDIS_URL", "redis://h?db=-5"),
    "a cluster with a database": ("SESSION_REDIS_URL", "redis+cluster://one:6379,two:6379/1"),
    "store at no port": ("SESSION_REDIS_URL", "redis://localhost:port/0"),
    "store with a # in its password": ("SESSION_REDIS_URL", "redis://hunter2#x@localhost:6379/0"),
    "store with a ? in its password": ("SESSION_REDIS_URL", "redis://:80?x@localhost:6379/0"),
    "sentinels with a / in their password": ("SESSION_REDIS_URL", "redis+sentinel://:80/x@one/s/0"),
    "sentinels without a service": ("SESSION_REDIS_URL", "redis+sentinel://one:26379,two:26379/"),
    "sentinels with an odd database": ("SESSION_REDIS_URL", "redis+sentinel://one:26379/s/db"),
    "idle for ever": ("SESSION_IDLE_SECONDS", "0"),
    "idle in words": ("SESSION_IDLE_SECONDS", "a day"),
    "absolute below nothing": ("SESSION_ABSOLUTE_SECONDS", "-1"),
    "proxies in words": ("TRUSTED_PROXY_HOPS", "all"),
    "too many proxies": ("TRUSTED_PROXY_HOPS", "10"),
}


@pytest.mark.parametrize(("variable", "value"), BAD.values(), ids=BAD)
def test_a_bad_value_gives_one_line_that_names_the_variable(variable: str, value: str) -> None:
    [line] = problems(**{variable: value})

    assert line.startswith(f"{variable} ")
    assert ". Write: " in line
    assert "\n" not in line


def test_all_problems_are_reported_together() -> None:
    lines = problems(**dict(BAD.values()))

    assert sorted(line.split()[0] for line in lines) == sorted({name for name, _ in BAD.values()})


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("name", [*REQUIRED, "APP_BASE_URL", "AUTH0_SCOPE", "TRUSTED_PROXY_HOPS"])
def test_a_value_that_is_still_in_quotes_is_one_problem(name: str, quote: str) -> None:
    """As `docker run --env-file` keeps them."""
    [line] = problems(**{name: f"{quote}{'x' * 40}{quote}"})

    assert line == f"{name} is still in quotes. Write: the value without the quotes"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_one_problem(name: str, tmp_path: Path) -> None:
    read(**{name: str(tmp_path)})

    [line] = problems(**{name: str(tmp_path / "missing.pem")})

    assert line.startswith(f"{name} names a file that cannot be read (no such file or directory)")
    assert line.endswith("Write: the path of the CA certificates, PEM")


def test_a_file_without_certificates_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")

    [line] = problems(SSL_CERT_FILE=str(tmp_path / "ca.pem"))

    assert line.startswith("SSL_CERT_FILE names a file without certificates. Write: ")


def test_each_folder_of_a_list_of_certificates_must_be_there(tmp_path: Path) -> None:
    read(SSL_CERT_DIR=f"{tmp_path}:{tmp_path.parent}")

    [line] = problems(SSL_CERT_DIR=f"{tmp_path}:{tmp_path / 'missing'}")

    assert line.startswith("SSL_CERT_DIR names a file that cannot be read (no such file")


def test_two_apps_on_one_host_have_cookies_of_different_names() -> None:
    addresses = ("http://localhost", "http://localhost:3000", "http://localhost:4000")
    addresses += ("https://localhost", "https://localhost:8443")
    for cookie in ("session", "sign_in"):
        names = {read(APP_BASE_URL=address).cookie_name(cookie) for address in addresses}
        assert len(names) == len(addresses)
    assert read(APP_BASE_URL="https://a.example").cookie_name("session") == "__Host-app_session"


@pytest.mark.parametrize("name", sorted(OWN_AUTHORIZE_PARAMS))
def test_parameters_that_the_app_sets_itself_are_refused(name: str) -> None:
    [line] = problems(AUTH0_AUTHORIZE_PARAMS=f"prompt=consent&{name}=mine")

    assert line.startswith(f"AUTH0_AUTHORIZE_PARAMS sets {name}, which the app sets itself")


def test_a_secret_that_id_tokens_are_signed_with_is_measured_in_bytes() -> None:
    read(AUTH0_ID_TOKEN_ALG="HS256", AUTH0_CLIENT_SECRET="\u00e9" * 16)

    [line] = problems(AUTH0_ID_TOKEN_ALG="HS256", AUTH0_CLIENT_SECRET="\u00e9" * 15 + "e")

    assert line.startswith("AUTH0_ID_TOKEN_ALG is HS256, which needs a client secret of 32 bytes")


def test_a_contacts_audience_needs_the_address_of_that_api() -> None:
    [line] = problems(CONTACTS_AUDIENCE="contacts:api")

    assert line.startswith("CONTACTS_API_BASE_URL is not set although CONTACTS_AUDIENCE is")


@pytest.mark.parametrize(
    ("text", "issuer"),
    [
        ("tenant.eu.auth0.com", "https://tenant.eu.auth0.com/"),
        ("Tenant.EU.Auth0.com/", "https://tenant.eu.auth0.com/"),
        ("https://id.example.com", "https://id.example.com"),
        ("https://id.example.com/", "https://id.example.com/"),
        ("https://id.example.com/realms/Main", "https://id.example.com/realms/Main"),
        ("http://localhost:3001/", "http://localhost:3001/"),
        ("http://127.0.0.1:8080/realms/main", "http://127.0.0.1:8080/realms/main"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_issuer_stays_as_it_is_written_and_a_domain_becomes_one(text: str, issuer: str) -> None:
    assert read(AUTH0_DOMAIN=text).issuer == issuer


@pytest.mark.parametrize(
    ("text", "redirect_uri"),
    [
        ("https://B\u00fccher.example", "https://xn--bcher-kva.example/callback"),
        (
            "https://\u4f8b\u3048.\u30c6\u30b9\u30c8:8443/",
            "https://xn--r8jz45g.xn--zckzah:8443/callback",
        ),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000/callback"),
        ("https://[2001:DB8:0:0::0001]", "https://[2001:db8::1]/callback"),
        ("https://app.example.com/", "https://app.example.com/callback"),
        ("https://App.Example.com:443", "https://app.example.com/callback"),
        ("http://localhost:80", "http://localhost/callback"),
        ("http://[::1]:3000", "http://[::1]:3000/callback"),
    ],
)
def test_the_redirect_uri_is_the_apps_address_and_callback(text: str, redirect_uri: str) -> None:
    assert read(APP_BASE_URL=text).redirect_uri == redirect_uri


def test_a_public_http_address_behind_a_proxy_is_one_problem() -> None:
    [problem] = problems(APP_BASE_URL="http://app.example.com", TRUSTED_PROXY_HOPS="1")

    assert problem.startswith("APP_BASE_URL is an http:// URL of a public host")
    assert "Write: https://app.example.com, and have the proxy end TLS" in problem


@pytest.mark.parametrize(
    ("base_url", "hops"),
    [
        ("https://app.example.com", "1"),
        ("https://app.example.com", "0"),  # TLS ends in gunicorn, or where no header is added
        ("http://localhost:3000", "1"),
        ("http://app:8080", "2"),
        ("http://10.1.2.3", "1"),
        ("http://app.test", "1"),
        ("http://app.example.com", "0"),
    ],
)
def test_an_address_and_proxies_that_can_work_are_accepted(base_url: str, hops: str) -> None:
    settings = read(APP_BASE_URL=base_url, TRUSTED_PROXY_HOPS=hops)

    assert (settings.app_base_url, settings.trusted_proxy_hops) == (base_url, int(hops))


@pytest.mark.parametrize(
    "host", ["localhost:3002", "api:8000", "api.svc", "10.0.0.7", "[fd00::7]:8000"]
)
def test_an_api_inside_may_be_called_by_http(host: str) -> None:
    assert read(API_BASE_URL=f"http://{host}/v1/").api_base_url == f"http://{host}/v1"


def test_picture_hosts_are_origins_https_but_for_this_machine() -> None:
    origins = read(
        PICTURE_HOSTS="s.Gravatar.com , cdn.example:8443,,localhost:3001"
    ).picture_origins

    assert origins == (
        "https://s.gravatar.com",
        "https://cdn.example:8443",
        "http://localhost:3001",
    )
