/* build.c: builds a network with libwarren, runs a command in one of its namespaces, and takes it down.
 *
 *     cc build.c -o build $(pkg-config --cflags --libs warren) && sudo ./build [COMMAND [ARGUMENT]...] */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <warren.h>

static const char text[] = "bridges:\n"
			   "  lan: {subnet: 10.77.0.0/24}\n"
			   "namespaces:\n"
			   "  left:  {interfaces: {eth0: {bridge: lan, address: 10.77.0.1/24}}}\n"
			   "  right: {interfaces: {eth0: {bridge: lan, address: 10.77.0.2/24}}}\n";

static int failed(const struct wr_error *error)
{
	fprintf(stderr, "%s\n", error->text);
	return 1;
}

int main(int argc, char **argv)
{
	char *ping[] = {"ping", "-c1", "-W2", "right", NULL};
	struct wr_network *network;
	struct wr_context *context;
	struct wr_error error;
	int status = 0;
	pid_t pid;

	if (wr_load_text("build", text, strlen(text), NULL, &network, NULL, &error) < 0 ||
	    wr_open(NULL, &context, &error) < 0)
		return failed(&error);
	if (wr_up(context, network, NULL, &error) < 0) /* all of it, or nothing */
		return failed(&error);
	pid = wr_spawn(context, "build/left", argc > 1 ? argv + 1 : ping, NULL, &error);
	if (pid < 0)
		status = failed(&error);
	else if (waitpid(pid, &status, 0) == pid)
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (wr_down(context, wr_network_name(network), network, NULL, &error) < 0)
		status = failed(&error);
	wr_close(context);
	wr_network_free(network);
	return status;
}
