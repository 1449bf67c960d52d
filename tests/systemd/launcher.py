"""Starts a program as a unit would: without privileges, and with its system calls filtered by the kernel.

It is run inside the sandbox, and stands in for what systemd does between fork and exec.
"""

import ctypes
import ctypes.util
import errno
import os
import socket
import sys
from pathlib import Path

ALLOW = 0x7FFF0000
DENY = 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7
PR_SET_NO_NEW_PRIVS = 38
WRITE, EXECUTE = 2, 4


class Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def checked(result):
    if result < 0:
        raise OSError(-result, os.strerror(-result))


def filter_calls(names, families):
    """Let pass the named calls; no memory that is written and executed, no sockets but of these families."""
    library = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(DENY)))
    narrowed = {
        "socket": [Comparison(0, EQUAL, getattr(socket, family)) for family in families],
        "mmap": [Comparison(2, MASKED_EQUAL, WRITE | EXECUTE, value) for value in (0, WRITE, EXECUTE)],
        "mprotect": [Comparison(2, MASKED_EQUAL, EXECUTE, 0)],
    }
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            continue
        for comparison in narrowed.get(name, [None]):
            several = (Comparison * 1)(comparison) if comparison else None
            count = 1 if comparison else 0
            checked(library.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, count, several))
    checked(library.seccomp_load(context))


families, *names = Path("/run/syscalls").read_text().splitlines()
if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
os.umask(0o077)
checked(ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
filter_calls(names, families.split())
os.execv(sys.argv[1], sys.argv[1:])
