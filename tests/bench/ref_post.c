/*
 * ref_post.c: the least that a durable change over HTTP costs: libmicrohttpd
 * driven from outside as the host drives it, a queue, one writer thread that
 * keeps each row's state in memory and appends a history row with SQLite
 * (WAL, synchronous=FULL), one commit for all that waits, then the answers.
 * No router, no flow, no row in a table, no delivery, no JSON but a search
 * for the word.
 *
 *   bench_ref_post DATABASE BYTES    prints its port, serves until stdin ends
 *
 * POST .../ID/status {"status":WORD}; BYTES: the answer's body.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SLOTS   (1u << 21) /* of the table; a power of two */
#define CONNECT 2048u

struct change {
	struct change *next;
	struct MHD_Connection *connection;
	uint64_t id; /* a hash of the path */
	char body[256];
	size_t len;
	bool is_done;
};

struct list {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct change *first;
	struct change **end;
	bool is_over;
};

struct server {
	struct list waiting, done;
	int event; /* to the loop: done has some */
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *insert;
	struct slot {
		uint64_t id;
		uint32_t version;
		uint32_t is_pong;
	} * table;
	char *answer;
	size_t answer_len;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_ref_post: %s\n", what);
	exit(1);
}

/* ---- lists ---- */

static void list_init(struct list *l)
{
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, NULL);
	l->end = &l->first;
}

static void list_put(struct list *l, struct change *first, struct change **end)
{
	pthread_mutex_lock(&l->lock);
	*l->end = first;
	l->end = end;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
}

static struct change *list_take(struct list *l, bool waits)
{
	pthread_mutex_lock(&l->lock);
	while (waits && l->first == NULL && !l->is_over)
		pthread_cond_wait(&l->wake, &l->lock);
	struct change *all = l->first;
	l->first = NULL;
	l->end = &l->first;
	pthread_mutex_unlock(&l->lock);
	return all;
}

/* ---- the writer ---- */

static struct slot *find(struct server *s, uint64_t id)
{
	size_t i = id & (SLOTS - 1);

	while (s->table[i].id != 0 && s->table[i].id != id)
		i = (i + 1) & (SLOTS - 1);
	s->table[i].id = id;
	return &s->table[i];
}

static void run(struct server *s, sqlite3_stmt *st)
{
	if (sqlite3_step(st) != SQLITE_DONE)
		die(sqlite3_errmsg(s->db));
	sqlite3_reset(st);
}

static void apply(struct server *s, const struct change *c)
{
	struct slot *row = find(s, c->id);
	bool is_pong = memmem(c->body, c->len, "\"pong\"", 6) != NULL;
	struct timespec t;

	if (row->is_pong == is_pong && row->version)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	row->is_pong = is_pong;
	row->version++;
	sqlite3_bind_int64(s->insert, 1, (sqlite3_int64)c->id);
	sqlite3_bind_int64(s->insert, 2, row->version);
	sqlite3_bind_int64(s->insert, 3, (sqlite3_int64)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	sqlite3_bind_int(s->insert, 4, !is_pong);
	sqlite3_bind_int(s->insert, 5, is_pong);
	sqlite3_bind_text(s->insert, 6, c->body, (int)c->len, SQLITE_STATIC);
	run(s, s->insert);
}

static void *write_all(void *ctx)
{
	struct server *s = ctx;
	struct change *all;
	uint64_t one = 1;

	while ((all = list_take(&s->waiting, true)) != NULL) {
		struct change **end = &all->next;

		run(s, s->begin);
		for (struct change *c = all; c; c = c->next) {
			apply(s, c);
			end = &c->next;
		}
		run(s, s->commit);
		list_put(&s->done, all, end);
		if (write(s->event, &one, sizeof(one)) < 0)
			die("eventfd");
	}
	return NULL;
}

/* ---- HTTP ---- */

static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return h ? h : 1;
}

static enum MHD_Result answer(struct server *s, struct MHD_Connection *connection)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(s->answer_len, s->answer,
									MHD_RESPMEM_MUST_COPY);

	MHD_add_response_header(response, "Content-Type", "application/json");
	enum MHD_Result rc = MHD_queue_response(connection, 200, response);

	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct server *s = ctx;
	struct change *c = *state;

	(void)method;
	(void)version;
	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL)
			die("memory");
		c->connection = connection;
		c->id = hash(url);
		*state = c;
		return MHD_YES;
	}
	if (*upload_size) {
		size_t room = sizeof(c->body) - c->len;
		size_t n = *upload_size < room ? *upload_size : room;

		memcpy(c->body + c->len, upload, n);
		c->len += n;
		*upload_size = 0;
		return MHD_YES;
	}
	if (c->is_done)
		return answer(s, connection);
	MHD_suspend_connection(connection);
	list_put(&s->waiting, c, &c->next);
	return MHD_YES;
}

static void ended(void *ctx, struct MHD_Connection *connection, void **state,
		  enum MHD_RequestTerminationCode why)
{
	(void)ctx;
	(void)connection;
	(void)why;
	free(*state);
	*state = NULL;
}

static void resume_all(struct server *s)
{
	struct change *next;

	for (struct change *c = list_take(&s->done, false); c; c = next) {
		next = c->next;
		c->next = NULL;
		c->is_done = true;
		MHD_resume_connection(c->connection);
	}
}

static void serve(struct server *s, struct MHD_Daemon *daemon)
{
	struct pollfd fds[3] = {
	    {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
	     .events = POLLIN},
	    {.fd = s->event, .events = POLLIN},
	    {.fd = 0, .events = POLLIN},
	};
	while (fds[2].revents == 0) {
		MHD_UNSIGNED_LONG_LONG timeout = 1000;
		uint64_t n;

		MHD_get_timeout(daemon, &timeout);
		poll(fds, 3, timeout > 1000 ? 1000 : (int)timeout);
		if (fds[1].revents && read(s->event, &n, sizeof(n)) > 0)
			resume_all(s);
		MHD_run(daemon);
	}
}

/* ---- */

static void open_database(struct server *s, const char *path)
{
	static const char setup[] =
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4096;"
	    "CREATE TABLE history (seq INTEGER PRIMARY KEY, tx INTEGER, version INTEGER,"
	    " at INTEGER, from_status INTEGER, to_status INTEGER, detail TEXT)";

	if (sqlite3_open(path, &s->db) != SQLITE_OK ||
	    sqlite3_exec(s->db, setup, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "BEGIN IMMEDIATE", -1, &s->begin, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "COMMIT", -1, &s->commit, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db,
			       "INSERT INTO history (tx, version, at, from_status, to_status,"
			       " detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			       -1, &s->insert, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(s->db));
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	static struct server s;
	pthread_t writer;

	if (argc != 3)
		die("usage: bench_ref_post DATABASE BYTES");
	s.answer_len = strtoul(argv[2], NULL, 10);
	s.answer = malloc(s.answer_len + 1);
	s.table = calloc(SLOTS, sizeof(*s.table));
	s.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s.answer == NULL || s.table == NULL || s.event < 0)
		die("memory");
	memset(s.answer, 'x', s.answer_len);
	list_init(&s.waiting);
	list_init(&s.done);
	open_database(&s, argv[1]);
	if (pthread_create(&writer, NULL, write_all, &s) != 0)
		die("no thread");

	struct MHD_Daemon *daemon = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, &s,
	    MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, CONNECT,
	    MHD_OPTION_NOTIFY_COMPLETED, ended, &s, MHD_OPTION_END);
	if (daemon == NULL)
		die("cannot listen");
	printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	serve(&s, daemon);
	pthread_mutex_lock(&s.waiting.lock);
	s.waiting.is_over = true;
	pthread_cond_signal(&s.waiting.wake);
	pthread_mutex_unlock(&s.waiting.lock);
	pthread_join(writer, NULL);
	resume_all(&s);
	MHD_stop_daemon(daemon);
	sqlite3_close_v2(s.db);
	free(s.table);
	free(s.answer);
	return 0;
}
