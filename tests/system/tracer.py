# SPDX-License-Identifier: BSD-2-Clause
"""Holds one thread of a process still, or makes it ask the kernel for something, by ptrace.

The thread is stopped where it waits, right behind the instruction that asked the kernel: that
instruction is run again with other registers, and then the old ones are put back.
"""

import ctypes
import os
import platform
import signal

SEIZE, INTERRUPT, DETACH, SINGLESTEP = 0x4206, 0x4207, 17, 9
GETREGSET, SETREGSET, NT_PRSTATUS = 0x4204, 0x4205, 1
WALL = 0x40000000
NO_CALL = 2 ** 64 - 1

# Where the registers stand in elf_gregset_t.
X86_64 = {"size": 27, "number": 10, "original": 15, "pc": 16, "arguments": (14, 13, 12), "length": 2,
          "calls": {"execve": 59, "acct": 163}}
can_call = platform.machine() == "x86_64"


class Tracer:
    """For the time of a with block the thread stands still, and the others go on."""

    def __init__(self, thread):
        self.thread = thread
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long

    def ptrace(self, request, address=None, data=None):
        ctypes.set_errno(0)
        if self.libc.ptrace(request, self.thread, address, data) == -1 and ctypes.get_errno():
            raise OSError(ctypes.get_errno(), "ptrace %#x of %d" % (request, self.thread))

    def wait(self):
        return os.waitpid(self.thread, WALL)[1]

    def __enter__(self):
        self.ptrace(SEIZE)
        self.ptrace(INTERRUPT)
        self.wait()
        return self

    def __exit__(self, *_):
        try:
            self.ptrace(DETACH)
        except OSError:  # it has ended, and waits for us to look
            try:
                self.wait()
            except ChildProcessError:
                pass

    def registers(self):
        values = (ctypes.c_uint64 * X86_64["size"])()
        vector = (ctypes.c_void_p * 2)(ctypes.addressof(values), ctypes.sizeof(values))
        self.ptrace(GETREGSET, NT_PRSTATUS, ctypes.addressof(vector))
        return values

    def set_registers(self, values):
        vector = (ctypes.c_void_p * 2)(ctypes.addressof(values), ctypes.sizeof(values))
        self.ptrace(SETREGSET, NT_PRSTATUS, ctypes.addressof(vector))

    def call(self, name):
        """What the thread gets from a system call without arguments: a number, or the signal that
        ended the whole process."""
        before, values = self.registers(), self.registers()
        values[X86_64["number"]] = X86_64["calls"][name]
        values[X86_64["original"]] = NO_CALL
        values[X86_64["pc"]] -= X86_64["length"]
        for place in X86_64["arguments"]:
            values[place] = 0
        self.set_registers(values)
        self.ptrace(SINGLESTEP)
        status = self.wait()
        if not os.WIFSTOPPED(status):
            return signal.Signals(os.WTERMSIG(status))
        result = ctypes.c_int64(self.registers()[X86_64["number"]]).value
        self.set_registers(before)
        return result
