"""The script of test/device/ring, done by this machine's io_uring: what each step tells, as lines (test/posix/uring.test.ts)."""
import ctypes, mmap, os, socket, struct, sys, time

ENTRIES = 8
libc = ctypes.CDLL(None, use_errno=True)
SETUP, ENTER = 425, 426
GETEVENTS = 1
NOP, POLL, TIMEOUT, ACCEPT, CANCEL, CONNECT, CLOSE, SEND, RECV, PROVIDE, SEND_ZC = 0, 6, 11, 13, 14, 16, 19, 26, 27, 31, 47
LINK, SELECT = 4, 32
# Our numbers of operations and flags (firmware/net/ring-ops.ts).
OPCODES = [NOP, ACCEPT, CONNECT, RECV, SEND, POLL, TIMEOUT, CLOSE, CANCEL]
O_LINK, O_MULTISHOT, O_SELECT, O_ZEROCOPY = 1, 2, 4, 8
OWN = (1 << 64) - 1


class Ring:
    def __init__(self):
        params = ctypes.create_string_buffer(120)
        self.fd = libc.syscall(SETUP, ENTRIES, params)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        words = struct.unpack("=30I", params.raw)
        self.sq, self.cq = words[10:20], words[20:30]
        bytes_ = max(self.sq[6] + 4 * words[0], self.cq[5] + 16 * words[1])
        self.rings = mmap.mmap(self.fd, bytes_, mmap.MAP_SHARED, offset=0)
        self.entries = mmap.mmap(self.fd, 64 * words[0], mmap.MAP_SHARED, offset=0x10000000)
        self.prepared = 0
        # What the kernel reads or writes later stays where it is.
        self.kept = []

    def word(self, at):
        return struct.unpack_from("=I", self.rings, at)[0]

    def set(self, at, value):
        struct.pack_into("=I", self.rings, at, value & 0xFFFFFFFF)

    def put(self, opcode, fd, address, length, data, flags=0, priority=0, offset=0, op_flags=0, group=0):
        tail = self.word(self.sq[1])
        index = (tail & self.word(self.sq[2]))
        sqe = struct.pack("=BBHiQQIIQHHiQQ", opcode, flags, priority, fd, offset, address, length, op_flags, data, group, 0, 0, 0, 0)
        self.entries[index * 64 : index * 64 + 64] = sqe
        self.set(self.sq[6] + 4 * index, index)
        self.set(self.sq[1], tail + 1)
        self.prepared += 1

    def enter(self, submit, flags=0):
        return libc.syscall(ENTER, self.fd, submit, 0, flags, None, 8)

    def submit(self):
        count = self.enter(self.prepared)
        self.prepared = 0
        return count if count >= 0 else -ctypes.get_errno()

    def overflowed(self):
        return (self.word(self.sq[4]) >> 1) & 1

    def take(self):
        head = self.word(self.cq[0])
        if head == self.word(self.cq[1]):
            return None
        at = self.cq[5] + 16 * (head & self.word(self.cq[2]))
        cqe = struct.unpack_from("=QiI", self.rings, at)
        self.set(self.cq[0], head + 1)
        return cqe

    def wait(self, seconds=5):
        end = time.monotonic() + seconds
        while True:
            self.enter(0, GETEVENTS)
            cqe = self.take()
            if cqe or time.monotonic() >= end:
                return cqe
            time.sleep(0.001)


class Script:
    def __init__(self):
        self.ring = None
        self.slots = {}

    def begin(self):
        for one in self.slots.values():
            try:
                os.close(one)
            except OSError:
                pass
        if self.ring:
            os.close(self.ring.fd)
        self.ring = Ring()
        self.slots = {-1: -1}
        self.accepted = 3
        self.accepts = set()
        self.buffers = None

    def listener(self):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(8)
        self.port = s.getsockname()[1]
        self.slots[0] = s.detach()

    def name(self):
        port = getattr(self, "port", 0) if 0 in self.slots else 9
        name = struct.pack("=H", 2) + struct.pack(">HI", port, 0x7F000001) + bytes(8)
        self.ring.kept.append(ctypes.create_string_buffer(name, 16))
        return ctypes.addressof(self.ring.kept[-1])

    def memory(self, length):
        self.ring.kept.append(ctypes.create_string_buffer(max(length, 1)))
        return ctypes.addressof(self.ring.kept[-1])

    def provide(self, index, count):
        base = ctypes.addressof(self.buffers) + index * self.size
        self.ring.put(PROVIDE, count, base, self.size, OWN, offset=index, group=1)
        self.ring.submit()
        while self.ring.wait()[0] != OWN:
            raise AssertionError("a completion before that of the buffers")

    def operation(self, opcode, slot, argument, data, flags):
        ring = self.ring
        fd = self.slots.get(slot, -1)
        how = LINK if flags & O_LINK else 0
        if opcode >= len(OPCODES):
            ring.put(200, fd, 0, 0, data, how)
            return
        code = OPCODES[opcode]
        multishot = bool(flags & O_MULTISHOT)
        if code == ACCEPT:
            self.accepts.add(data)
            ring.put(code, fd, 0, 0, data, how, priority=int(multishot))
        elif code == CONNECT:
            ring.put(code, fd, self.name(), 0, data, how, offset=16)
        elif code == RECV:
            chosen = bool(flags & O_SELECT)
            address = 0 if chosen else self.memory(argument)
            ring.put(code, fd, address, argument, data, how | (SELECT if chosen else 0), 2 if multishot else 0, group=int(chosen))
        elif code == SEND:
            # All of it, as ours (MSG_WAITALL), without a signal.
            zc = bool(flags & O_ZEROCOPY)
            ring.put(SEND_ZC if zc else SEND, fd, self.memory(argument), argument, data, how, op_flags=0x4100)
        elif code == POLL:
            ring.put(code, fd, 0, int(multishot), data, how, op_flags=argument)
        elif code == TIMEOUT:
            ring.kept.append(ctypes.create_string_buffer(struct.pack("=qq", argument // 1000, argument % 1000 * 1000000), 16))
            ring.put(code, -1, ctypes.addressof(ring.kept[-1]), 1, data, how)
        elif code == CANCEL:
            ring.put(code, -1, argument, 0, data, how)
        else:
            ring.put(code, fd, 0, 0, data, how)

    def told(self, seconds=5):
        cqe = self.ring.wait(seconds)
        if not cqe:
            return "nothing"
        data, result, flags = cqe
        if data in self.accepts and result >= 0:
            self.slots[self.accepted] = result
            self.accepted += 1
            result = 0
        return "%d: %d, flags %d, buffer %d" % (data, result, flags & 11, flags >> 16)

    def sync(self, call, *arguments):
        result = call(*arguments)
        return result if result >= 0 else -ctypes.get_errno()

    def line(self, text):
        command, *rest = text.split(" ")
        if command == "=":
            self.begin()
            return text
        a = [int(word) for word in rest]
        fd = self.slots.get(a[0], -1) if a else -1
        if command in "LP":
            self.listener()
            if command == "P":
                self.slots[1] = socket.create_connection(("127.0.0.1", self.port)).detach()
                self.slots[2] = libc.accept(self.slots[0], None, None)
        elif command == "K":
            self.slots[a[0]] = socket.socket().detach()
        elif command == "C":
            libc.connect(fd, ctypes.c_void_p(self.name()), 16)
        elif command == "O":
            os.set_blocking(fd, False)
        elif command == "q":
            self.operation(a[0], a[1], a[2], a[3], a[4])
        elif command == "g":
            return "submitted %d" % self.ring.submit()
        elif command == "w":
            return "\n".join(self.told() for _ in range(a[0]))
        elif command == "e":
            return self.told(0.1)
        elif command == "s":
            self.sync(libc.send, fd, self.memory_of(a[1]), a[1], 0x4040)
            time.sleep(0.005)
        elif command == "r":
            return "received %d" % self.sync(libc.recv, fd, self.memory_of(a[1]), a[1], 0x40)
        elif command == "h":
            libc.shutdown(fd, 1)
        elif command == "z":
            libc.setsockopt(fd, 1, 13, struct.pack("=ii", 1, 0), 8)
            libc.close(fd)
            del self.slots[a[0]]
        elif command == "B":
            self.size = a[1]
            self.buffers = ctypes.create_string_buffer(a[0] * a[1])
            self.provide(0, a[0])
        elif command == "b":
            self.provide(a[0], 1)
        elif command == "t":
            time.sleep(a[0] / 1000)
        elif command == "o":
            return "overflow %d" % self.ring.overflowed()
        return None

    def memory_of(self, length):
        return ctypes.c_void_p(self.memory(length))


script = Script()
for text in open(sys.argv[1]):
    said = script.line(text.rstrip("\n"))
    if said is not None:
        print(said, flush=True)
