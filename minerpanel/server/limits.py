"""The limits of the HTTP server, each with its reason."""

# Time, in seconds

HEADER_SECONDS = 10.0  # from a request's first byte to the end of its headers; honest clients send them at once
BODY_SECONDS = 25.0  # for a whole body: a step must be answered within 25 s, so a slower one is lost anyway
LARGE_BODY_SECONDS = 1_800.0  # for an uploaded journal: 512 MB at 0.3 MB/s, as through a tunnel
FIRST_BYTE_SECONDS = 10.0  # until a new connection sends something
IDLE_SECONDS = 75.0  # between two requests; longer than nginx keeps an idle connection to us (60 s)
SEND_SECONDS = 60.0  # without a byte of the answer being accepted; the client is gone then
DRAIN_SECONDS = 10.0  # a refused client that still sends is read from for this long, so that it receives the answer
STOP_SECONDS = 30.0  # for requests being answered at a stop; beyond the usual deadline of a step

# Connections

MOST_CONNECTIONS = 1_024  # each costs a file descriptor and some kB; far more than there are validators
BACKLOG = 1_024  # connections that wait in the kernel to be accepted
OPEN_FILES = 4_096  # intended limit of file descriptors: connections, and threads' databases and calls to providers

# Bytes

HEADER_BYTES = 32 * 1024  # the most that nginx passes on
HELD_BYTES = 256 * 1024 * 1024  # all bodies that are held in memory, received whole or in part
READ_BYTES = 64 * 1024  # in one read; eight reads for the page of a usual step
CHUNKED_AT_ONCE = 4 * 1024  # per call of the parser, which copies the rest after each chunk
FRAMING_BYTES = 256 * 1024  # sizes and ends of chunks beyond the content itself: more means tiny chunks, which are expensive to parse
DRAIN_BYTES = 64 * 1024 * 1024  # read from a refused client; four times the largest body of a step
OUTPUT_BYTES = 16 * 1024 * 1024  # of one answer, held in memory for a slow client; the rest of a longer one is generated later

# Threads beside WEB_THREADS, which answer steps

PAGE_THREADS = 16  # a panel has few visitors; steps do not use these
QUICK_THREADS = 4  # /health and refusals, which take microseconds
MOST_LARGE_BODIES = 2  # uploads at once: they are kept on the disk
