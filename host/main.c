/* main.c: the txwatch program: finds the command and runs it. */
#include <stdio.h>

#include "command/command.h"

int main(int argc, char **argv)
{
	int status;

	if (argc < 2) {
		fprintf(stderr, "Usage: txwatch COMMAND [OPTION ...]\nTry `txwatch help`.\n");
		return EXIT_USAGE;
	}
	status = command_main(argc - 1, argv + 1);
	/* A full disk behind stdout must not look like success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
		perror("txwatch: cannot write");
		return EXIT_FAILED;
	}
	return status;
}
