/* driver.c: fuzz targets without libFuzzer.
 *
 * Theory: every file of the directories given is tried as it is; then, until the time is over, a file is picked and mutated a few
 * times (bits, bytes, numbers of interest, pieces copied, cut out or taken from another file) and tried. The sequence of random
 * numbers is always the same, so that what fails fails again; an input that kills the program is left in crash-input. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 65536
#define SEEDS_MAX 1024

struct seed {
	uint8_t *bytes;
	size_t length;
};

static struct seed seeds[SEEDS_MAX];
static size_t n_seeds;
static uint8_t input[INPUT_MAX];
static size_t input_length;
static uint64_t state = 0x9e3779b97f4a7c15;

/* xorshift64*: good enough to pick places. */
static uint64_t pick(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return below ? (state * 0x2545f4914f6cdd1dULL >> 16) % below : 0;
}

static void keep_input(void)
{
	int fd = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (write(fd, input, input_length) < 0)
		perror("crash-input");
	close(fd);
}

static void on_signal(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

/* The sanitizers end the program by themselves: this is their last word (see sanitizer/common_interface_defs.h). */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void load(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir) {
		fprintf(stderr, "%s: %s\n", directory, strerror(errno));
		exit(2);
	}
	while ((entry = readdir(dir)) && n_seeds < SEEDS_MAX) {
		char path[4096];
		FILE *file;
		uint8_t *bytes;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		file = fopen(path, "rbe");
		bytes = malloc(INPUT_MAX);
		if (!file || !bytes) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			exit(2);
		}
		seeds[n_seeds].bytes = bytes;
		seeds[n_seeds].length = fread(bytes, 1, INPUT_MAX, file);
		n_seeds += seeds[n_seeds].length > 0;
		fclose(file);
	}
	closedir(dir);
}

static void copy_piece(const struct seed *from)
{
	size_t length = 1 + pick(from->length < 64 ? from->length : 64);
	size_t start = pick(from->length - length + 1);
	size_t place = pick(input_length + 1);
	uint8_t piece[64]; /* what is copied may be the input's own, and move */

	if (input_length + length > INPUT_MAX)
		return;
	memcpy(piece, from->bytes + start, length);
	memmove(input + place + length, input + place, input_length - place);
	memcpy(input + place, piece, length);
	input_length += length;
}

static void cut_piece(void)
{
	size_t length = 1 + pick(input_length < 64 ? input_length : 64);
	size_t start;

	if (length > input_length)
		return;
	start = pick(input_length - length + 1);
	memmove(input + start, input + start + length, input_length - start - length);
	input_length -= length;
}

static void mutate(void)
{
	static const uint32_t numbers[] = {0,	  1,	  4,	  16,	  0x7f,	      0x80,	  0xff,
					   0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
	uint32_t number = numbers[pick(sizeof numbers / sizeof *numbers)];
	size_t size = (size_t)1 << pick(3);

	switch (pick(6)) {
	case 0:
		if (input_length)
			input[pick(input_length)] ^= (uint8_t)(1u << pick(8));
		break;
	case 1:
		if (input_length)
			input[pick(input_length)] = (uint8_t)pick(256);
		break;
	case 2:
		if (input_length >= size)
			memcpy(input + pick(input_length - size + 1), &number, size);
		break;
	case 3:
		cut_piece();
		break;
	case 4:
		copy_piece(&seeds[pick(n_seeds)]);
		break;
	case 5:
		copy_piece(&(struct seed){input, input_length ? input_length : 1});
		break;
	}
}

static void run_one(void)
{
	/* On the heap at its exact size: one byte read beyond it is seen. */
	uint8_t *copy = malloc(input_length ? input_length : 1);

	if (!copy)
		exit(2);
	memcpy(copy, input, input_length);
	LLVMFuzzerTestOneInput(copy, input_length);
	free(copy);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double end = now() + (argc > 1 ? strtod(argv[1], NULL) : 0);
	unsigned long count = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s SECONDS DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		load(argv[i]);
	if (!n_seeds) {
		fprintf(stderr, "no seeds\n");
		return 2;
	}
	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	for (size_t i = 0; i < n_seeds; i++) {
		input_length = seeds[i].length;
		memcpy(input, seeds[i].bytes, input_length);
		run_one();
	}
	for (; now() < end; count++) {
		const struct seed *seed = &seeds[pick(n_seeds)];

		input_length = seed->length;
		memcpy(input, seed->bytes, input_length);
		for (uint64_t times = 1 + pick(8); times; times--)
			mutate();
		run_one();
	}
	printf("%zu seeds, %lu mutations\n", n_seeds, count);
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].bytes);
	return 0;
}
