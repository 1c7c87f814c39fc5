# SPDX-License-Identifier: BSD-2-Clause
"""A Varlink client and a reader of interface descriptions, written from varlink.org's text alone, so
that they share no mistake with the daemon.
"""

import json
import re
import socket

OURS = "io.ringflow.Sensor"


class Failed(Exception):
    def __init__(self, reply):
        super().__init__(reply["error"], reply.get("parameters"))
        self.error, self.parameters = reply["error"], reply.get("parameters", {})


class Connection:
    def __init__(self, path, timeout_s=20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.socket.close()

    def send(self, method, parameters=None, **flags):
        made = dict({"method": method}, **flags)
        if parameters is not None:
            made["parameters"] = parameters
        self.socket.sendall(json.dumps(made).encode() + b"\0")

    def octets(self):
        """The next message as it came, without its NUL; None when the daemon has hung up."""
        while b"\0" not in self.pending:
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:  # it did not read all that was sent
                more = b""
            if not more:
                assert not self.pending, "cut off: %r" % self.pending[:80]
                return None
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return message

    def replies(self):
        """The replies to one call, as parameters."""
        while True:
            reply = json.loads(self.octets())
            if "error" in reply:
                raise Failed(reply)
            assert set(reply) <= {"parameters", "continues"}, reply
            yield reply["parameters"]
            if not reply.get("continues"):
                return

    def call(self, method, parameters=None, **flags):
        """The only reply, or with more=True the list of all."""
        self.send(method if "." in method else OURS + "." + method, parameters, **flags)
        replies = list(self.replies())
        if flags.get("more"):
            return replies
        assert len(replies) == 1, replies
        return replies[0]


class Description:
    """An interface: its types, methods and errors, as {name: {member: type}}."""

    TOKEN = re.compile(r"->|[()\[\],:?]|[A-Za-z][A-Za-z0-9_.-]*")

    def __init__(self, text):
        bare = re.sub(r"#[^\n]*", "", text)
        assert not self.TOKEN.sub("", bare).strip(), "octets that belong to nothing"
        self.tokens = self.TOKEN.findall(bare)
        self.types, self.methods, self.errors = {}, {}, {}
        self.expect("interface")
        self.name = self.tokens.pop(0)
        assert re.fullmatch(r"[A-Za-z]([-]*[A-Za-z0-9])*(\.[A-Za-z0-9]([-]*[A-Za-z0-9])*)+", self.name)
        while self.tokens:
            self.member()

    def expect(self, token):
        found = self.tokens.pop(0)
        assert found == token, "%r where %r has to be" % (found, token)

    def member(self):
        kind, name = self.tokens.pop(0), self.tokens.pop(0)
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name), name
        if kind == "type":
            self.types[name] = self.struct()
        elif kind == "error":
            self.errors[name] = self.struct()
        else:
            assert kind == "method", kind
            takes = self.struct()
            self.expect("->")
            self.methods[name] = (takes, self.struct())

    def struct(self):
        members = {}
        self.expect("(")
        while self.tokens[0] != ")":
            if members:
                self.expect(",")
            name = self.tokens.pop(0)
            assert re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", name) and name not in members, name
            self.expect(":")
            members[name] = self.type()
        self.expect(")")
        return members

    def type(self):
        prefix = ""
        while self.tokens[0] in ("?", "["):
            prefix += self.tokens.pop(0)
            if prefix.endswith("["):
                self.expect("]")
        return prefix.replace("[", "[]") + self.tokens.pop(0)

    def check(self, value, kind, where="reply"):
        """Is the value of that type, with no member missing or unknown?"""
        plain = {"int": int, "float": float, "string": str, "bool": bool}
        if kind.startswith("?"):
            if value is not None:
                self.check(value, kind[1:], where)
        elif kind.startswith("[]"):
            assert isinstance(value, list), where
            for place, one in enumerate(value):
                self.check(one, kind[2:], "%s[%d]" % (where, place))
        elif kind in plain:
            assert type(value) is plain[kind], "%s: %r is no %s" % (where, value, kind)
        else:
            self.check_struct(value, self.types[kind], where)

    def check_struct(self, value, members, where="reply"):
        assert isinstance(value, dict), where
        assert set(value) <= set(members), "%s: %s" % (where, set(value) - set(members))
        for name, kind in members.items():
            self.check(value.get(name), kind, where + "." + name)
