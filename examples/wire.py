"""The wire of docs/protocol.md, with nothing but Python's standard library: frames, invites, TLS and the proof."""
import base64, hashlib, hmac, json, re, socket, ssl, struct, unicodedata, urllib.parse

def say(sock, **command):
    data = json.dumps(command).encode()
    sock.sendall(struct.pack(">I", len(data)) + data)

def hear(stream):
    size = stream.read(4)
    data = stream.read(struct.unpack(">I", size)[0]) if len(size) == 4 else b""
    return json.loads(data) if data else {"type": "bye", "reason": "gone"}

class Invite:
    """parlor://host:7878/#room?fp=…&p=…"""
    def __init__(self, text):
        form = r"parlor://(?:\[(.+)\]|([^:/]+)):(\d+)/?(?:#([^?]*))?(?:\?(.*))?"
        v6, name, port, room, options = re.fullmatch(form, text).groups()
        self.place, self.room = (v6 or name, int(port)), urllib.parse.unquote(room or "lobby")
        self.back = None  # what the server must prove
        self.options = dict(urllib.parse.parse_qsl(options or "", keep_blank_values=True))

    def connect(self):
        """A socket, and what proofs are bound to."""
        sock = socket.create_connection(self.place, timeout=90)
        if "plain" in self.options:
            return sock, bytes(32)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # what counts is the fingerprint
        sock = context.wrap_socket(sock)
        fingerprint = hashlib.sha256(sock.getpeercert(binary_form=True)).digest()
        pin = base64.urlsafe_b64decode(self.options["fp"] + "==")
        if len(pin) < 16 or not fingerprint.startswith(pin):
            raise SystemExit("this is not the server of the invite")
        return sock, fingerprint

    def prove(self, auth, binding):
        """The answer to `auth` of a `welcome`: None where nothing is asked."""
        if auth["kind"] == "open":
            return None
        cost = {name: auth["scrypt"][name] for name in "nrp"}
        if not 16 << 20 <= 128 * cost["n"] * cost["r"] <= 128 << 20:
            raise SystemExit("this server asks for a proof that we do not give")
        words = re.split(r"[\s-]+", unicodedata.normalize("NFC", self.options["p"]).lower().strip(" -"))
        salt = bytes.fromhex(auth["scrypt"]["salt"])
        key = hashlib.scrypt("-".join(words).encode(), salt=salt, maxmem=1 << 28, dklen=32, **cost)
        asked = bytes.fromhex(auth["challenge"]) + binding
        self.back = hmac.new(key, b"parlor server 1" + asked, "sha256").hexdigest()
        return hmac.new(key, asked, "sha256").hexdigest()

    def verify(self, ready):
        """Leaves a server that does not know the passphrase either."""
        if self.back and not hmac.compare_digest(self.back, ready.get("proof", "")):
            raise SystemExit("this server does not know the passphrase")
