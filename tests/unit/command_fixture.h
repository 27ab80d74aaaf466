/* command_fixture.h: the site's commands as their table needs them; none is
 * run in a unit test but `token make` in its own. */
#ifndef COMMAND_FIXTURE_H
#define COMMAND_FIXTURE_H

#include "command/args.h"

#define NOT_RUN(name)                            \
	int command_##name(const struct args *a) \
	{                                        \
		(void)a;                         \
		return EXIT_FAILED;              \
	}
NOT_RUN(run)
NOT_RUN(check)
NOT_RUN(plugins)
NOT_RUN(explain)
NOT_RUN(flow_list)
NOT_RUN(flow_graph)
NOT_RUN(flow_try)
NOT_RUN(verify)
NOT_RUN(version)
NOT_RUN(help)
NOT_RUN(completion)

#endif
