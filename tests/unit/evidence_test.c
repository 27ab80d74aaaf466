/* evidence_test.c: what is hashed, byte for byte, and the chain of it. */
#include <openssl/sha.h>

#include "engine/evidence.h"
#include "engine/verify.h"
#include "site_kit.h"

static txw_tx row(void)
{
	return (txw_tx){.size = sizeof(txw_tx),
			.id = {UINT64_C(0x0188a0a0a0a07001), UINT64_C(0x8000000000000002)},
			.outcome = TXW_SUCCESS,
			.key = 77,
			.tenant = STR_LIT("default"),
			.flow = STR_LIT("payment"),
			.ref = STR_LIT("p:1,"),
			.status = STR_LIT("settled"),
			.attributes = STR_LIT("{\"a\":1.50}"),
			.version = 2,
			.last_seq = 5,
			.created_at = 10,
			.updated_at = 20,
			.held = 1,
			.polls = -3};
}

static txw_event event(const txw_tx *tx)
{
	return (txw_event){.size = sizeof(txw_event),
			   .type = TXW_EV_SUCCEEDED,
			   .seq = 5,
			   .prev = 4,
			   .id = {UINT64_C(0x0188a0a0a0a07001), UINT64_C(0x8000000000000001)},
			   .at = 20,
			   .tenant = STR_LIT("default"),
			   .from = STR_LIT("pending"),
			   .to = STR_LIT("settled"),
			   .source = STR_LIT("api"),
			   .detail = STR_LIT("{}"),
			   .tx = tx};
}

static void the_content_is_a_row_of_netstrings_in_a_fixed_order(void **state)
{
	static const char head[] = "15:txwatch.event/1,1:5,1:4,30:evt_";
	static const char middle[] =
	    ",21:transaction.succeeded,2:20,7:default,7:pending,7:settled,3:api,0:,0:,1:0,0:,0:,"
	    "2:{},0:,29:tx_";
	static const char tail[] =
	    ",7:payment,4:p:1,,7:settled,7:success,1:2,0:,0:,0:,10:{\"a\":1.50},0:,0:,0:,1:0,0:,"
	    "1:0,1:1,2:10,2:20,1:0,1:0,1:0,1:0,1:0,2:-3,1:0,1:0,1:0,";
	(void)state;
	struct buf b = {0}, want = {0};
	txw_tx tx = row();
	txw_event ev = event(&tx);
	char id[ID_TEXT_MAX];
	evidence_content(&b, &ev);
	buf_text(&want, head);
	id_print(id, "evt", ev.id);
	buf_text(&want, id + 4);
	buf_text(&want, middle);
	id_print(id, "tx", tx.id);
	buf_text(&want, id + 3);
	buf_text(&want, tail);
	assert_int_equal(b.len, want.len);
	assert_memory_equal(b.ptr, want.ptr, want.len);
	buf_free(&b);
	buf_free(&want);
}

static void an_event_without_a_transaction_ends_before_it(void **state)
{
	(void)state;
	struct buf b = {0};
	txw_event ev = event(NULL);
	evidence_content(&b, &ev);
	assert_memory_equal(b.ptr + b.len - 8, "2:{},0:,", 8);
	buf_free(&b);
}

static void digest_and_link_are_sha256(void **state)
{
	(void)state;
	struct buf b = {0};
	txw_tx tx = row();
	txw_event ev = event(&tx);
	unsigned char digest[32], link[32], want[32], both[64] = {0};
	struct evidence *v = evidence_new();
	evidence_content(&b, &ev);
	evidence_digest(v, &ev, digest);
	SHA256((const unsigned char *)b.ptr, b.len, want);
	assert_memory_equal(digest, want, 32);
	evidence_link(v, EVIDENCE_START, digest, link);
	memcpy(both + 32, digest, 32);
	SHA256(both, 64, want);
	assert_memory_equal(link, want, 32);
	evidence_free(v);
	buf_free(&b);
}

/* ---- on a site ---- */

static int setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	kit_open(k, KIT_FLOWS);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	kit_close(*state);
	free(*state);
	return 0;
}

static void count(void *ctx, const struct verify_finding *f)
{
	(void)f;
	(*(int *)ctx)++;
}

static void assert_proven(struct kit *k, int64_t first, int64_t last)
{
	struct err e = {0};
	int findings = 0;
	struct verify v = {.store = k->store, .found = count, .ctx = &findings};
	assert_int_equal(verify_run(&v, &e), 0);
	assert_int_equal(findings, 0);
	assert_int_equal(v.first, first);
	assert_int_equal(v.last, last);
	assert_int_equal(v.events, last - first + 1);
}

static void a_unit_that_was_undone_leaves_the_chain_as_it_was(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P0", NULL));
	/* On from here, for a log that has an event without it. */
	k->keeps_evidence = true;
	kit_reopen(k, KIT_FLOWS);
	kit_op(k, op_create("payment", "P1", NULL));
	struct op ops[] = {op_create("payment", "P2", NULL),
			   op_status("payment", "none", "settled")};
	kit_batch(k, ops, 2, true);
	kit_fail_commits(TXW_E_FULL);
	ops[0] = op_create("payment", "P3", NULL);
	kit_submit(k, ops, 1, false);
	kit_rest(k);
	kit_fail_commits(0);
	kit_op(k, op_create("payment", "P4", NULL));
	assert_int_equal(engine_last_seq(k->engine), 3);
	assert_proven(k, 2, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_content_is_a_row_of_netstrings_in_a_fixed_order),
	    cmocka_unit_test(an_event_without_a_transaction_ends_before_it),
	    cmocka_unit_test(digest_and_link_are_sha256),
	    cmocka_unit_test_setup_teardown(a_unit_that_was_undone_leaves_the_chain_as_it_was,
					    setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
