"""Access tokens that nobody signed, or that say what they should not: refused at every door, in every role."""

from __future__ import annotations

import base64
import contextlib
import enum
import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass, field, replace

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from conftest import fresh_databases
from contract.client import Person
from contract.test_jwks import RSA, Key, Services, base64url
from harness.server import INNER, Server

SECRET = "what-signs-the-tokens-of-these-tests"
EC = ec.generate_private_key(ec.SECP256R1())
FOREIGN, OURS = Key("foreign"), Key("ours")
# The order of the group of Ed25519's points: a signature's second half is below it.
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
GONE = enum.Enum("Claim", "GONE").GONE
HOUR_S = 3600


def dumps(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def decoded(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=="))


@dataclass
class Mint:
    """What somebody knows who forges a token, and whose signature the door believes, where a test can make one."""

    # A token that the door accepts, of a session that lives, and one of a session that was ended.
    good: str
    ended: str
    # The account and the session of somebody else.
    other: dict
    # Signs as whoever the door believes, or as a stranger where that cannot be had.
    sign: object
    # What is published: a key's JWK, if there is one.
    jwk: dict | None
    # Where a token may ask for its key, and who counts how often that was done.
    lure: str
    # How long after its end a token passes the door, for its clock may be wrong.
    tolerance_s: int = 0
    header: dict = field(init=False)
    claims: dict = field(init=False)

    def __post_init__(self) -> None:
        header, claims, _ = self.good.split(".")
        self.header, self.claims = decoded(header), decoded(claims)

    def token(self, header: dict | bytes = {}, claims: dict | bytes = {}, sign=None) -> str:
        """The good token with some of it changed, or GONE; bytes stand for the whole part as it is written."""
        parts = []
        for good, changed in ((self.header, header), (self.claims, claims)):
            if not isinstance(changed, bytes):
                changed = {name: value for name, value in (good | changed).items() if value is not GONE}
            parts.append(base64url(dumps(changed)))
        signed = ".".join(parts).encode()
        return f"{signed.decode()}.{base64url((sign or self.sign)(signed))}"

    def says(self, **claims: object) -> str:
        return self.token(claims=claims)

    def doubled(self, part: str, name: str, value: object, first: bool) -> str:
        """The good token that says something twice."""
        good = dict(getattr(self, part))
        said = dumps(good)[1:-1]
        again = dumps({name: value})[1:-1]
        return self.token(**{part: b"{" + (again + b", " + said if first else said + b", " + again) + b"}"})

    def public(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode((self.jwk or FOREIGN.jwk)["x"] + "=="))

    def encoded_key(self, encoding, form) -> bytes:
        return self.public().public_bytes(encoding, form)

    def altered(self, change) -> str:
        """The good token with another signature."""
        signed, signature = self.good.rsplit(".", 1)
        return f"{signed}.{base64url(change(base64.urlsafe_b64decode(signature + '==')))}"


def hs(key: bytes, digest: str = "sha256"):
    return lambda data: hmac.new(key, data, digest).digest()


def es256(data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(EC.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def rs256(data: bytes) -> bytes:
    return RSA.sign(data, padding.PKCS1v15(), hashes.SHA256())


def ps256(data: bytes) -> bytes:
    return RSA.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def nothing(_: bytes) -> bytes:
    return b""


def flipped(bit: int):
    def flip(signature: bytes) -> bytes:
        changed = bytearray(signature)
        changed[bit // 8 % len(changed)] ^= 1 << bit % 8
        return bytes(changed)
    return flip


def other_multiple(signature: bytes) -> bytes:
    """The same signature of Ed25519 to who does not look whether it is reduced (RFC 8032, 5.1.7)."""
    s = int.from_bytes(signature[32:64], "little") + ED25519_ORDER
    return signature[:32] + s.to_bytes(33, "little")[:32]


def unused_bits(token: str) -> str:
    """The same token to who does not look at the bits of its last character that stand for nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def jwk_of(key: Key) -> dict:
    return {"kty": "OKP", "crv": "Ed25519", "x": key.jwk["x"]}


RAW, PEM, DER = serialization.Encoding.Raw, serialization.Encoding.PEM, serialization.Encoding.DER
RAW_KEY, KEY_INFO = serialization.PublicFormat.Raw, serialization.PublicFormat.SubjectPublicKeyInfo
now = time.time

# What nobody who looks at a token lets pass.
FORGED = [
    # No signature, however it is spelt
    *[(f"alg {alg!r}", lambda m, alg=alg: m.token({"alg": alg}, sign=nothing))
      for alg in ("none", "None", "NONE", "nOnE", "none ", "", None, 0, [], ["none"], {})],
    ("no alg", lambda m: m.token({"alg": GONE}, sign=nothing)),
    ("alg none with the good signature", lambda m: m.token({"alg": "none"})),
    ("no signature", lambda m: m.good.rsplit(".", 1)[0] + "."),
    ("no signature and no dot", lambda m: m.good.rsplit(".", 1)[0]),
    ("two names for the algorithm", lambda m: m.doubled("header", "alg", "none", first=True)),

    # The public key taken for a secret
    ("HS256 under the public key", lambda m: m.token({"alg": "HS256"}, sign=hs(m.encoded_key(RAW, RAW_KEY)))),
    ("HS256 under the public key's text", lambda m: m.token({"alg": "HS256"}, sign=hs(base64url(m.encoded_key(RAW, RAW_KEY)).encode()))),
    ("HS256 under the public key as PEM", lambda m: m.token({"alg": "HS256"}, sign=hs(m.encoded_key(PEM, KEY_INFO)))),
    ("HS256 under the public key as PEM, stripped", lambda m: m.token({"alg": "HS256"}, sign=hs(m.encoded_key(PEM, KEY_INFO).strip()))),
    ("HS256 under the public key as DER", lambda m: m.token({"alg": "HS256"}, sign=hs(m.encoded_key(DER, KEY_INFO)))),
    ("HS256 under the published JWK", lambda m: m.token({"alg": "HS256"}, sign=hs(dumps(m.jwk or FOREIGN.jwk)))),
    ("HS512 under the public key", lambda m: m.token({"alg": "HS512"}, sign=hs(m.encoded_key(RAW, RAW_KEY), "sha512"))),

    # Keys of others
    *[(f"HS256 under {key!r}", lambda m, key=key: m.token({"alg": "HS256"}, sign=hs(key)))
      for key in (b"", b"\0", b"secret", b"super-secret-jwt-key-change-in-production", b"your-production-secret-key")],
    *[(f"{alg} under the good secret", lambda m, alg=alg, digest=digest: m.token({"alg": alg}, sign=hs(SECRET.encode(), digest)))
      for alg, digest in (("HS384", "sha384"), ("HS512", "sha512"))],
    ("EdDSA under a foreign key", lambda m: m.token({"alg": "EdDSA"}, sign=FOREIGN.sign)),
    ("EdDSA under a foreign key, unnamed", lambda m: m.token({"alg": "EdDSA", "kid": GONE}, sign=FOREIGN.sign)),
    ("EdDSA under a foreign key by its own name", lambda m: m.token({"alg": "EdDSA", "kid": "foreign"}, sign=FOREIGN.sign)),
    ("ES256 under a foreign key", lambda m: m.token({"alg": "ES256"}, sign=es256)),
    ("ES256 by zeros", lambda m: m.token({"alg": "ES256"}, sign=lambda _: bytes(64))),
    ("RS256 under a foreign key", lambda m: m.token({"alg": "RS256"}, sign=rs256)),
    ("PS256 under a foreign key", lambda m: m.token({"alg": "PS256"}, sign=ps256)),
    ("an algorithm that nobody knows", lambda m: m.token({"alg": "HS1"})),
    ("EdDSA by zeros", lambda m: m.token({"alg": "EdDSA"}, sign=lambda _: bytes(64))),
    ("EdDSA by the neutral point", lambda m: m.token({"alg": "EdDSA"}, sign=lambda _: b"\1" + bytes(63))),

    # Names of keys
    *[(f"kid {name}", lambda m, kid=kid: m.token({"kid": kid}))
      for name, kid in (
          ("unknown", "unknown"), ("empty", ""), ("of a path", "../../../../../../dev/null"), ("of an address", "http://127.0.0.1/"),
          ("of SQL", "x' UNION SELECT 'AAAA' --"), ("of a command", "|/usr/bin/id"), ("very long", "k" * 30_000),
          ("a number", 7), ("true", True), ("a list", ["ours"]), ("an object", {"kid": "ours"}), ("with a NUL", "ours\0"),
      )],
    ("kid of a path, under an empty key", lambda m: m.token({"alg": "HS256", "kid": "../../../../dev/null"}, sign=hs(b""))),
    ("two kids", lambda m: m.doubled("header", "kid", "unknown", first=True)),

    # A token that brings its key along, or says where to get it
    ("jwk of the forger", lambda m: m.token({"alg": "EdDSA", "jwk": jwk_of(FOREIGN)}, sign=FOREIGN.sign)),
    ("jwk of the forger, unnamed", lambda m: m.token({"alg": "EdDSA", "jwk": jwk_of(FOREIGN), "kid": GONE}, sign=FOREIGN.sign)),
    ("jwk that is a secret", lambda m: m.token({"alg": "HS256", "jwk": {"kty": "oct", "k": base64url(b"k" * 32)}}, sign=hs(b"k" * 32))),
    ("jku of the forger", lambda m: m.token({"alg": "EdDSA", "jku": m.lure, "kid": "foreign"}, sign=FOREIGN.sign)),
    ("x5u of the forger", lambda m: m.token({"alg": "RS256", "x5u": m.lure}, sign=rs256)),
    ("x5c of the forger", lambda m: m.token(
        {"alg": "RS256", "x5c": [base64.b64encode(RSA.public_key().public_bytes(DER, KEY_INFO)).decode()]}, sign=rs256)),
    ("x5t of the forger", lambda m: m.token({"alg": "RS256", "x5t": base64url(hashlib.sha1(b"x").digest())}, sign=rs256)),
    ("kid that is an address", lambda m: m.token({"alg": "EdDSA", "kid": m.lure}, sign=FOREIGN.sign)),

    # A header that says more or other than ours does, under the good signature
    *[(f"typ {typ!r}", lambda m, typ=typ: m.token({"typ": typ}))
      for typ in (GONE, None, "", "JWT", "jwt", "at+jwt ", "id+jwt", "secevent+jwt", 7, ["at+jwt"])],
    ("cty of a nested token", lambda m: m.token({"cty": "JWT"}, m.good.encode())),
    ("crit of what is unknown", lambda m: m.token({"crit": ["cloudmeet"], "cloudmeet": 1})),
    ("crit of what is known", lambda m: m.token({"crit": ["exp"], "exp": 1})),
    ("crit of nothing", lambda m: m.token({"crit": []})),
    ("b64 false, critical", lambda m: m.token({"b64": False, "crit": ["b64"]})),
    ("b64 false", lambda m: m.token({"b64": False})),
    ("zip", lambda m: m.token({"zip": "DEF"})),
    ("jku under the good signature", lambda m: m.token({"jku": m.lure})),
    ("x5u under the good signature", lambda m: m.token({"x5u": m.lure})),
    ("jwk under the good signature", lambda m: m.token({"jwk": jwk_of(FOREIGN)})),
    ("a header that is no object", lambda m: m.token(b'["EdDSA"]')),
    ("a header with a mark of order", lambda m: m.token(b"\xef\xbb\xbf" + dumps(m.header))),
    ("a header and more", lambda m: m.token(dumps(m.header) + b"{}")),
    ("a header of 60 KiB", lambda m: m.token({"x": "x" * 45_000})),

    # Who signed and for whom
    *[(f"{name} {value!r}", lambda m, name=name, value=value: m.says(**{name: value}))
      for name in ("iss", "aud")
      for value in (GONE, None, "", "other", "CloudMeet", "cloudmeet ", "cloudmeet\0", 7, [], ["other"], ["cloudmeet"],
                    ["cloudmeet", "other"], {"cloudmeet": 1})],

    # When
    *[(f"exp {name}", lambda m, value=value: m.says(exp=value))
      for name, value in (
          ("missing", GONE), ("null", None), ("zero", 0), ("one", 1), ("negative", -1), ("a float", now() + HOUR_S + 0.5), ("huge", 1e300),
          ("infinite", float("inf")), ("not a number", float("nan")), ("text", str(int(now()) + HOUR_S)), ("true", True),
          ("a list", [int(now()) + HOUR_S]), ("the least", -2**63), ("the most", 2**63 - 1), ("more than that", 2**63),
          ("far more", 2**64), ("in milliseconds beyond all", 2**63 // 1000 + 1),
      )],
    ("exp just past", lambda m: m.says(exp=int(now()) - m.tolerance_s - 1)),
    ("exp an hour past", lambda m: m.says(exp=int(now()) - HOUR_S)),
    *[(f"iat {name}", lambda m, value=value: m.says(iat=value))
      for name, value in (
          ("missing", GONE), ("null", None), ("text", "0"), ("a float", now() + 0.5), ("the least", -2**63), ("the most", 2**63 - 1),
      )],
    ("iat to come", lambda m: m.says(iat=int(now()) + m.tolerance_s + 30)),
    ("iat far to come", lambda m: m.says(iat=int(now()) + 10 * 365 * 24 * HOUR_S)),
    ("nbf to come", lambda m: m.says(nbf=int(now()) + HOUR_S)),
    ("nbf text", lambda m: m.says(nbf="tomorrow")),
    ("nbf huge", lambda m: m.says(nbf=2**63)),

    # Whose
    *[(f"sub {value!r}", lambda m, value=value: m.says(sub=value))
      for value in (GONE, None, "", "0", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e0", "١", "admin", "1 OR 1=1", "99999999999999999999",
                    1, 1.0, True, ["1"], {"id": 1})],
    *[(f"sid {value!r}", lambda m, value=value: m.says(sid=value)) for value in (GONE, None, 1, ["x"])],

    # Twice is not once
    *[(f"{name} twice, the good one {'last' if first else 'first'}", lambda m, name=name, value=value, first=first: m.doubled("claims", name, value, first))
      for name, value in (("sub", "1"), ("sid", "x"), ("exp", 1), ("iss", "other"), ("aud", "other"), ("iat", 0)) for first in (True, False)],
    ("typ twice", lambda m: m.doubled("header", "typ", "JWT", first=True)),

    # What is no JSON object
    *[(f"claims that are {name}", lambda m, text=text: m.token(claims=text))
      for name, text in (
          ("nothing", b""), ("null", b"null"), ("a list", b"[]"), ("a text", b'"x"'), ("a number", b"1"), ("no JSON", b"{"),
          ("no UTF-8", b'{"sub": "\xff"}'), ("deep", b"[" * 20_000),
      )],
    ("claims with a mark of order", lambda m: m.token(claims=b"\xef\xbb\xbf" + dumps(m.claims))),
    ("claims in UTF-16", lambda m: m.token(claims=json.dumps(m.claims).encode("utf-16"))),
    ("claims and more", lambda m: m.token(claims=dumps(m.claims) + b"{}")),
    ("claims with a comment", lambda m: m.token(claims=dumps(m.claims) + b"//")),

    # Signatures that are nearly good
    *[(f"bit {bit} of the signature", lambda m, bit=bit: m.altered(flipped(bit))) for bit in (0, 7, 100, 255, 256, 300, 511)],
    ("half the signature", lambda m: m.altered(lambda signature: signature[: len(signature) // 2])),
    ("all but a byte of the signature", lambda m: m.altered(lambda signature: signature[:-1])),
    ("the signature and a byte", lambda m: m.altered(lambda signature: signature + b"\0")),
    ("the signature twice", lambda m: m.altered(lambda signature: signature * 2)),
    ("the signature's other multiple", lambda m: m.altered(other_multiple if m.jwk else flipped(8))),
    ("bits that stand for nothing", lambda m: unused_bits(m.good)),
    ("claims of another, signature kept", lambda m: ".".join((m.good.split(".")[0], base64url(dumps(m.claims | m.other)), m.good.split(".")[2]))),

    # Shapes
    ("nothing", lambda m: ""),
    ("a dot", lambda m: "."),
    ("two dots", lambda m: ".."),
    ("four dots", lambda m: "...."),
    ("a word", lambda m: "x"),
    ("a segment before", lambda m: "e30." + m.good),
    ("a segment after", lambda m: m.good + ".e30"),
    ("a dot after", lambda m: m.good + "."),
    ("five segments", lambda m: m.good + ".e30.e30"),
    ("padded", lambda m: ".".join(part + "=" * (-len(part) % 4) for part in m.good.split(".")) + "="),
    ("in plain base64", lambda m: m.good + "+/"),
    ("with a space", lambda m: m.good.replace(".", ". ", 1)),
    ("with a tab", lambda m: m.good.replace(".", "\t.", 1)),
    ("with a NUL", lambda m: m.good[:-1] + "%00"),
    ("quoted", lambda m: f'"{m.good}"'),
    ("with a comma", lambda m: f"{m.good}, Bearer {m.good}"),
    ("twice the scheme", lambda m: "Bearer " + m.good),
    ("percent-encoded", lambda m: m.good.replace(".", "%2e")),
    ("with another script's letter", lambda m: m.good.replace("e", "е", 1)),
    ("in upper case", lambda m: m.good.upper()),
    ("64 KiB of a letter", lambda m: "a" * 65_536),
    ("64 KiB of dots", lambda m: "." * 65_536),
    ("64 KiB of claims", lambda m: m.says(x="x" * 45_000, sub="0")),
    ("what services know each other by", lambda m: INNER["INTERNAL_TOKEN"]),
    ("the secret itself", lambda m: SECRET),
    ("a JWS as JSON", lambda m: dumps(dict(zip(("protected", "payload", "signature"), m.good.split("."), strict=True))).decode()),
]

# What only those refuse who know the sessions.
OF_NO_SESSION = [
    ("sub of somebody else", lambda m: m.says(sub=m.other["sub"])),
    ("sub of nobody", lambda m: m.says(sub="9223372036854775807")),
    ("sid of somebody else", lambda m: m.says(sid=m.other["sid"])),
    *[(f"sid {name}", lambda m, value=value: m.says(sid=value))
      for name, value in (
          ("empty", ""), ("unknown", "0198c0de-0000-7000-8000-000000000000"),
          ("of SQL", "' OR '1'='1"), ("of a pattern", "%"), ("with a NUL", "\0"), ("very long", "s" * 30_000), ("with half a character", "\ud800"),
      )],
    ("of a session that was ended", lambda m: m.ended),
]



@dataclass
class Door:
    """Where a token is shown."""

    name: str
    url: str
    request: tuple[str, str]
    mint: Mint
    knows_sessions: bool = True
    connection: http.client.HTTPConnection | None = None

    def status(self, token: str) -> tuple[int, str | None]:
        """The status that a token is answered with, and the challenge."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        header = b"Bearer " + token.encode("utf-8", "surrogatepass")
        self.connection.request(*self.request, headers={"Authorization": header})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, answer.headers["www-authenticate"]


class Lure:
    """Where nobody should come."""

    def __init__(self) -> None:
        self.visits = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/keys.json"
        threading.Thread(target=self.count, daemon=True).start()

    def count(self) -> None:
        while True:
            try:
                self.listener.accept()[0].close()
            except OSError:
                return
            self.visits += 1


ME, ROOMS, TICKET = ("GET", "/api/auth/me"), ("GET", "/api/rooms"), ("POST", "/api/ws-ticket")


def token_of(person: Person) -> str:
    return person.http.headers["authorization"].removeprefix("Bearer ")


def published(server: Server) -> list[dict]:
    return httpx.get(server.url + "/.well-known/jwks.json").json()["keys"]


def mint(server: Server, lure: Lure) -> Mint:
    """Makes people, and gives what the tokens of one of them are made of."""
    Person(server, "Administrator").close()
    person, other = Person(server, "Ann"), Person(server, "Bob")
    ended = token_of(person)
    assert person.post("/api/auth/logout").status_code == 204
    person.sign_in()
    claims = decoded(token_of(other).split(".")[1])
    person.close(), other.close()
    keys = published(server)
    # Ed25519's private key is not to be had from outside: there only the good token itself is well signed.
    sign = FOREIGN.sign if keys else hs(SECRET.encode())
    return Mint(token_of(person), ended, {name: claims[name] for name in ("sub", "sid")}, sign, keys[0] if keys else None, lure.url)


def minted_by(key: Key, mint: Mint, **more: object) -> Mint:
    """The same for whom believes a key of ours."""
    good, ended = (key.token(**{name: decoded(token.split(".")[1])[name] for name in ("sub", "sid")}) for token in (mint.good, mint.ended))
    return replace(mint, good=good, ended=ended, sign=key.sign, jwk=key.jwk, **more)


def whole(stack, lure, settings):
    server = stack.enter_context(Server(**settings))
    made = mint(server, lure)
    return [Door("all", server.url, request, made) for request in (ME, ROOMS, TICKET)]


def in_parts(stack, lure, settings):
    """Whoever reads the keys finds one of ours beside the auth service's, so that we can sign what is wrong."""
    auth = stack.enter_context(Server(ROLE="auth", **settings))
    seen = stack.enter_context(Services(*published(auth), OURS, real=auth))
    upstreams = {"AUTH_SERVICE_URL": seen.url}
    conference = stack.enter_context(Server(ROLE="conference", **settings | upstreams))
    upstreams |= {"CONFERENCE_SERVICE_URL": conference.url}
    gateway = stack.enter_context(Server(ROLE="gateway", **settings | upstreams))
    # Whatever the services behind say; who knows them by nothing but their addresses must do as well.
    believing = stack.enter_context(Services(*published(auth), OURS))
    alone = {"AUTH_SERVICE_URL": believing.url, "CONFERENCE_SERVICE_URL": believing.url}
    alone = stack.enter_context(Server(ROLE="gateway", **settings | alone))
    made = mint(auth, lure)
    ours = minted_by(OURS, made) if made.jwk else made
    return [
        Door("auth", auth.url, ME, made), Door("auth behind the gateway", gateway.url, ME, made),
        Door("conference", conference.url, ROOMS, ours), Door("conference behind the gateway", gateway.url, TICKET, ours),
        Door("gateway alone", alone.url, ROOMS, replace(ours, tolerance_s=60), knows_sessions=False),
    ]


@pytest.fixture(scope="module", params=["all by Ed25519", "all by HS256", "in parts by Ed25519", "in parts by HS256"])
def doors(request, postgres):
    lure = Lure()
    settings = INNER | fresh_databases(postgres) | {"RATE_LIMITS": "off"}
    if request.param.endswith("HS256"):
        settings |= {"JWT_SECRET_KEY": SECRET}
    with contextlib.ExitStack() as stack:
        doors = (whole if request.param.startswith("all") else in_parts)(stack, lure, settings)
        yield doors
        for door in doors:
            assert door.status(door.mint.good)[0] == 200, f"{door.name} takes no good token any more"
        assert lure.visits == 0, "somebody looked for a key where a token said"


def test_there_are_enough_of_them():
    names = [name for name, _ in FORGED + OF_NO_SESSION]
    assert len(names) == len(set(names)) >= 60


def test_a_good_token_passes_every_door(doors):
    for door in doors:
        assert door.status(door.mint.good)[0] == 200, door.name
        # What the signature is needed for, the test can make: else the refusals below would prove little.
        if door.mint.sign != FOREIGN.sign:
            assert door.status(door.mint.says())[0] == 200, door.name


@pytest.mark.parametrize("case", FORGED + OF_NO_SESSION, ids=lambda case: case[0])
def test_a_token_that_is_not_ours_passes_no_door(doors, case):
    for door in doors:
        token = case[1](door.mint)
        # What is no signed statement may be a key that only the services know.
        is_judged = token.isascii() and token.count(".") == 2 and case in FORGED
        if door.knows_sessions or is_judged:
            status, challenge = door.status(token)
            assert status == 401, f"{door.name}: {status}"
            assert challenge.startswith("Bearer")


def test_a_token_elsewhere_than_in_its_header_is_none(doors):
    with httpx.Client() as http:
        for door in (door for door in doors if door.knows_sessions):
            good, (method, path) = door.mint.good, door.request
            for query, headers in (
                ("?access_token=" + good, {}), ("?token=" + good, {}), ("", {"cookie": "access_token=" + good}),
                ("", {"x-authorization": "Bearer " + good}), ("", {"proxy-authorization": "Bearer " + good}),
                ("", {"authorization": good}), ("", {"authorization": "Basic " + good}), ("", {"authorization": "Bearer"}),
            ):
                answer = http.request(method, door.url + path + query, headers=headers)
                assert answer.status_code == 401, (door.name, query, headers)
