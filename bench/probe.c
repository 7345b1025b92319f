/* probe.c: what a packet filter costs a connection: a server, and a client that counts.
 *
 * Why:       the differences looked for are fractions of a microsecond; a client in Python would drown them.
 * Shape:     probe serve ADDRESS PORT        echoes TCP and UDP, accepts and forgets; says "ready"; runs until killed
 *            probe connect ADDRESS PORT N FIRST   N connections one after the other, each reset at once; from the source
 *                                            ports FIRST, FIRST + 1, … so that no two are the same to the kernel
 *            probe udp|tcp ADDRESS PORT N    N round trips of one byte
 *            The last two say the median of nanoseconds on standard output: what else the machine does hits
 *                                            single ones. Where they run is taskset's to say.
 * Errors:    said, and exit status 1. Nobody waits for ever: ten seconds for each answer.
 * Source:    socket(7), tcp(7). */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64 /* open at the server at once */

static unsigned read_number(const char *text, unsigned long largest)
{
	char *stop;
	const unsigned long number = strtoul(text, &stop, 10);

	if (*stop != '\0' || number == 0 || number > largest)
		errx(2, "not a number from 1 to %lu: %s", largest, text);
	return (unsigned)number;
}

static struct sockaddr_in read_address(const char *address, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)read_number(port, 65535))};

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		errx(2, "not an IPv4 address: %s", address);
	return a;
}

static void set(int fd, int level, int option, const void *value, socklen_t length)
{
	if (setsockopt(fd, level, option, value, length) < 0)
		err(1, "setsockopt");
}

static int open_socket(int type)
{
	const struct timeval patience = {.tv_sec = 10};
	const int on = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	set(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	set(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	set(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

static int64_t now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		err(1, "clock_gettime");
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- the server --------------------------------------------------------------------------------------------------------- */

static int listen_at(const struct sockaddr_in *address, int type)
{
	int fd = open_socket(type);

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err(1, "bind");
	if (type == SOCK_STREAM && listen(fd, 4096) < 0)
		err(1, "listen");
	return fd;
}

static void echo_datagram(int fd)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char bytes[64];
	ssize_t n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

	/* A lost answer is for the client to miss. */
	if (n >= 0)
		(void)sendto(fd, bytes, (size_t)n, 0, (const struct sockaddr *)&from, length);
}

/* Whether the connection goes on. */
static int echo_stream(int fd)
{
	char bytes[64];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > 0 && send(fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static _Noreturn void serve(const struct sockaddr_in *address)
{
	const int on = 1;
	struct pollfd fds[2 + CONNECTIONS_MAX] = {
		{.fd = listen_at(address, SOCK_STREAM), .events = POLLIN},
		{.fd = listen_at(address, SOCK_DGRAM), .events = POLLIN},
	};
	nfds_t count = 2;

	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, count, -1) < 0)
			err(1, "poll");
		if (fds[1].revents)
			echo_datagram(fds[1].fd);
		for (nfds_t i = count; i-- > 2;) {
			if (!fds[i].revents || echo_stream(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
		}
		if (fds[0].revents && count < 2 + CONNECTIONS_MAX) {
			fds[count].fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);
			if (fds[count].fd < 0)
				continue;
			set(fds[count].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			fds[count].events = POLLIN;
			fds[count++].revents = 0;
		}
	}
}

/* --- the client ----------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *samples, unsigned n)
{
	qsort(samples, n, sizeof(*samples), compare);
	return samples[n / 2];
}

/* Only connect() is counted: from the first packet to the answer to it. */
static void time_connections(const struct sockaddr_in *address, unsigned first, int64_t *samples, unsigned n)
{
	const struct linger reset = {.l_onoff = 1};

	for (unsigned i = 0; i < n; i++) {
		const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(first + i))};
		int64_t start;
		int fd = open_socket(SOCK_STREAM);

		set(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
			err(1, "bind to port %u", first + i);
		start = now();
		if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
			err(1, "connect");
		samples[i] = now() - start;
		close(fd);
	}
}

static void time_round_trips(const struct sockaddr_in *address, int type, int64_t *samples, unsigned n)
{
	const int on = 1;
	char byte = 'x';
	int fd = open_socket(type);

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err(1, "connect");
	if (type == SOCK_STREAM)
		set(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (unsigned i = 0; i < n; i++) {
		const int64_t start = now();

		if (send(fd, &byte, 1, 0) != 1)
			err(1, "send");
		if (recv(fd, &byte, 1, 0) != 1)
			err(1, "no answer");
		samples[i] = now() - start;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct sockaddr_in address;
	int64_t *samples;
	unsigned n;

	if (strcmp(verb, "serve") == 0 && argc == 4) {
		address = read_address(argv[2], argv[3]);
		serve(&address);
	}
	if (argc != (strcmp(verb, "connect") == 0 ? 6 : 5))
		errx(2, "usage: probe serve ADDRESS PORT, probe connect ADDRESS PORT N FIRST, probe udp|tcp ADDRESS "
			"PORT N");
	address = read_address(argv[2], argv[3]);
	n = read_number(argv[4], 1000000);
	samples = calloc(n, sizeof(*samples));
	if (!samples)
		err(1, "calloc");
	if (strcmp(verb, "connect") == 0)
		time_connections(&address, read_number(argv[5], 65536 - n), samples, n);
	else if (strcmp(verb, "udp") == 0)
		time_round_trips(&address, SOCK_DGRAM, samples, n);
	else if (strcmp(verb, "tcp") == 0)
		time_round_trips(&address, SOCK_STREAM, samples, n);
	else
		errx(2, "not known: %s", verb);
	printf("%lld\n", (long long)median(samples, n));
	free(samples);
	return 0;
}
