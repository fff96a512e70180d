"""Sends to a network what nobody should send: INTERFACE ADDRESS BROADCAST.

Answers of multicast DNS and datagrams, with wrong lengths, loops, escape sequences, long texts and 10,000 names; and to those who
ask by datagram, answers of which none is as it should be, or of which there are too many.
"""

import random
import select
import socket
import struct
import sys
import time

INTERFACE, ADDRESS, BROADCAST = sys.argv[1:]
RANDOM = random.Random(7)
PTR, TXT, SRV, A, IN, FLUSH = 12, 16, 33, 1, 1, 0x8001
SERVICE = [b"_parlor", b"_tcp", b"local"]
DISCOVERY = 7878


def name(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(labels, kind, data, kind_of=FLUSH, ttl=4500):
    return name(labels) + struct.pack(">HHIH", kind, kind_of, ttl, len(data)) + data


def response(records, counted=None):
    return struct.pack(">6H", 0, 0x8400, 0, counted or len(records), 0, 0) + b"".join(records)


def txt(*strings):
    return b"".join(bytes([len(string)]) + string for string in strings)


def parlor(label, *strings, port=1, host=b"nowhere"):
    instance = [label] + SERVICE
    return [
        record(SERVICE, PTR, name(instance), IN),
        record(instance, SRV, struct.pack(">3H", 0, 0, port) + name([host, b"local"])),
        record(instance, TXT, txt(*strings)),
        record([host, b"local"], A, socket.inet_aton(ADDRESS)),
    ]


def identity(number):
    return b"id=00000000-0000-4000-8000-%012x" % number


def hostile_answers():
    good = response(parlor(b"a", b"txtvers=1", identity(1), b"name=a", b"people=1", b"open=1"))
    yield response(parlor(b"\x1b[2J\x1b]0;x\x07", b"txtvers=1", identity(2), b"name=\x1b[2J\xe2\x80\xae" + b"x" * 200))
    yield response(parlor(b"\xff\xfe", b"txtvers=1", identity(3), b"name=\xff\xfe\x00\n"))
    yield response(parlor(b"huge", b"txtvers=1", identity(4), *[b"k%d=" % n + b"x" * 240 for n in range(30)]))
    yield response(parlor(b"zero", b"txtvers=1", identity(5), port=0))
    yield response(parlor(b"print", b"txtvers=1", identity(6), b"fp=zz"))
    yield response(parlor(b"a", b"txtvers=1"), counted=0xFFFF)
    # A name that points at itself, and two at each other.
    yield response([]) [:6] + struct.pack(">3H", 1, 0, 0) + b"\xc0\x0c" + struct.pack(">HHIH", PTR, IN, 1, 2) + b"\xc0\x0c"
    yield response([]) [:6] + struct.pack(">3H", 1, 0, 0) + b"\xc0\x0e\xc0\x0c" + struct.pack(">HHIH", PTR, IN, 1, 0)
    # Goodbyes for everyone.
    yield response([record(SERVICE, PTR, name([b"lab"] + SERVICE), IN, 0)])
    for _ in range(1000):
        torn = bytearray(good)
        for _ in range(RANDOM.randrange(1, 8)):
            torn[RANDOM.randrange(len(torn))] = RANDOM.randrange(256)
        yield bytes(torn[: RANDOM.randrange(len(torn) + 1)])
    # Of things that nobody looks for, and that point at nothing.
    for first in range(0, 12_000, 20):
        texts = [record([b"t%d" % number, b"_nobody", b"_tcp", b"local"], TXT, txt(b"x"), ttl=1) for number in range(first, first + 20)]
        yield response(texts)
    for first in range(0, 10_000, 20):
        names = [[b"n%d" % number] + SERVICE for number in range(first, first + 20)]
        yield response([record(SERVICE, PTR, name(instance), IN) for instance in names])


def hostile_datagrams():
    for length in list(range(0, 40)) + [511, 513, 1400]:
        for beginning in (b"parlor?1", b"parlor!1", b"parlor?2", b""):
            yield (beginning + RANDOM.randbytes(length))[: max(length, 1)]
    for _ in range(1000):
        yield RANDOM.randbytes(512)


def wrong(nonce, number):
    json = b'{"id":"00000000-0000-4000-8000-%012x","name":"%s","port":%d,"people":1,"open":true}'
    begin = b"parlor!1"
    return [
        begin + nonce,
        begin + bytes(8) + json % (number, b"nonce", 1),
        begin + nonce + json % (number, b"\\u001b[2J\\u202e", 1),
        begin + nonce + json % (number, b"x" * 2000, 1),
        begin + nonce + json % (number, b"port", 0),
        begin + nonce + b"[" * 400,
        begin + nonce + b'{"id":1}',
        nonce,
    ] + [begin + nonce + json % (1000 * number + n, b"crowd", 1) for n in range(300)]


def answer_for(seconds, asked):
    end, number = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        for ready in select.select(asked, [], [], left)[0]:
            question, whoever = ready.recvfrom(2048)
            number += 1
            for datagram in wrong(question[8:16], number):
                ready.sendto(datagram, whoever)


def opened(family, port):
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(("", port))
    return made


index = socket.if_nametoindex(INTERFACE)
v4, v6 = opened(socket.AF_INET, 5353), opened(socket.AF_INET6, 5353)
v4.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ADDRESS))
v4.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
asked = [opened(socket.AF_INET, DISCOVERY), opened(socket.AF_INET6, DISCOVERY)]
for sent, packet in enumerate(hostile_answers()):
    v4.sendto(packet, ("224.0.0.251", 5353))
    v6.sendto(packet, ("ff02::fb", 5353, 0, index))
    if sent % 50 == 0:
        # So that they are read, and not lost in full buffers.
        answer_for(0.02, asked)
for sent, packet in enumerate(hostile_datagrams()):
    v4.sendto(packet, (BROADCAST, DISCOVERY))
    v6.sendto(packet, ("ff02::1", DISCOVERY, 0, index))
answer_for(3, asked)
